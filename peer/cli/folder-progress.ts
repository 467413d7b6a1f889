/** Turns the events of many downloads into the figures of one. */
import type { GetEvent } from "../../schema/wire/local.ts";
import { ProgressMeter } from "./progress-meter.ts";
import type { Origins } from "./progress-text.ts";
import type { ProgressView } from "./progress-view.ts";

type Progress = Extract<GetEvent, { type: "progress" }>;

export interface FolderProgressOptions {
  readonly sizeBytes: number;
  readonly fileCount: number;
  readonly view: ProgressView;
  readonly nowMs: () => number;
}

export class FolderProgress {
  readonly #options: FolderProgressOptions;
  readonly #meter: ProgressMeter;
  readonly #active = new Map<symbol, Progress>();
  readonly #done = { sourceBytes: 0, peerBytes: 0, localBytes: 0 };
  #doneCount = 0;

  constructor(options: FolderProgressOptions) {
    this.#options = options;
    this.#meter = new ProgressMeter(options.sizeBytes);
  }

  get totals(): Required<Omit<Origins, "parentCount">> {
    return { ...this.#done };
  }

  /** @param file tells it from others */
  moved(file: symbol, event: Progress): void {
    this.#active.set(file, event);
    this.#show();
  }

  /** The file is done, or failed: then with what it got before that. */
  ended(file: symbol, origins: Omit<Origins, "parentCount"> = NOTHING): void {
    this.#active.delete(file);
    this.#doneCount++;
    for (const key of ["sourceBytes", "peerBytes", "localBytes"] as const) this.#done[key] += origins[key];
    this.#show();
  }

  #show(): void {
    const { view, nowMs, fileCount } = this.#options;
    const sum = { ...this.#done, parentCount: 0 };
    for (const { sourceBytes, peerBytes, localBytes, parentCount } of this.#active.values()) {
      sum.sourceBytes += sourceBytes;
      sum.peerBytes += peerBytes;
      sum.localBytes += localBytes;
      // The same hosts serve several files.
      sum.parentCount = Math.max(sum.parentCount, parentCount);
    }
    const figures = this.#meter.add({ type: "progress", ...sum, stall: this.#stall() }, nowMs());
    view.show({ ...figures, files: { doneCount: this.#doneCount, fileCount } });
  }

  /** While one file moves, nothing stalls. */
  #stall(): string | null {
    const stalls = [...this.#active.values()].map(({ stall }) => stall);
    return stalls.every((stall) => stall !== null) ? (stalls[0] ?? null) : null;
  }
}

const NOTHING = { sourceBytes: 0, peerBytes: 0, localBytes: 0 };
