/** Turns the events of a download into figures for people. */
import type { GetEvent } from "../../schema/wire/local.ts";

/** Speed is an average over this long: steady enough to read, quick enough to show a stall. */
const WINDOW_MS = 5000;

export interface ProgressFigures {
  readonly sizeBytes: number;
  readonly doneBytes: number;
  readonly sourceBytes: number;
  readonly peerBytes: number;
  readonly localBytes: number;
  readonly parentCount: number;
  /** Absent until there is something to average. */
  readonly bytesPerSecond?: number;
  /** Absent while nothing moves. */
  readonly remainingMs?: number;
  /** Why nothing moves. */
  readonly stall: string | null;
  /** Of a folder: how many of its files are done, or failed. */
  readonly files?: { readonly doneCount: number; readonly fileCount: number };
}

export class ProgressMeter {
  readonly #sizeBytes: number;
  /** Oldest first; the first one is at the far end of the window. */
  #samples: { readonly atMs: number; readonly bytes: number }[] = [];

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
  }

  add(event: Extract<GetEvent, { type: "progress" }>, nowMs: number): ProgressFigures {
    const { sourceBytes, peerBytes, localBytes, parentCount, stall } = event;
    // What was here before is no speed.
    this.#samples.push({ atMs: nowMs, bytes: sourceBytes + peerBytes });
    while ((this.#samples[1]?.atMs ?? nowMs) <= nowMs - WINDOW_MS) this.#samples.shift();

    const doneBytes = Math.min(this.#sizeBytes, sourceBytes + peerBytes + localBytes);
    const figures = { sizeBytes: this.#sizeBytes, doneBytes, sourceBytes, peerBytes, localBytes, parentCount, stall };
    const bytesPerSecond = this.#speed();
    if (bytesPerSecond === undefined) return figures;
    if (bytesPerSecond <= 0) return { ...figures, bytesPerSecond };
    return { ...figures, bytesPerSecond, remainingMs: ((this.#sizeBytes - doneBytes) / bytesPerSecond) * 1000 };
  }

  #speed(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs - first.atMs < 100) return undefined;
    return ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1000;
  }
}
