/** One kind of traffic of this host, bounded over all tasks and for each of them. */
import { Pacer } from "./pacer.ts";

/** Bytes a second; Infinity is no limit. */
export interface Rates {
  readonly hostBps: number;
  readonly taskBps: number;
}

/** So many grains a second there are: as many streams that share the rate each move within a second, and nobody takes
 *  them for dead. */
const GRAINS_PER_SECOND = 128;
/** A smaller one would cost more than it carries, a larger one would only take memory. */
const MIN_GRAIN_BYTES = 4 * 1024;
const MAX_GRAIN_BYTES = 256 * 1024;
/** A stream moves in steps of about a MiB, which is what the buffers on the way let go at a time. So slow a stream still
 *  does one well within the 45 s after which a parent gives up a child that takes nothing. */
const MIN_STREAM_BPS = 64 * 1024;

export class RateLimit {
  readonly #nowMs: () => number;
  readonly #host: Pacer;
  /** Of tasks that move, or did a moment ago. */
  readonly #tasks = new Map<string, Pacer>();
  #taskBps: number;

  /** `nowMs` is never set back. */
  constructor(rates: Rates, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#host = new Pacer(rates.hostBps, nowMs);
    this.#taskBps = rates.taskBps;
  }

  get limited(): boolean {
    return this.#rateBps !== Number.POSITIVE_INFINITY;
  }

  /** What a stream should take at a time, so that all who share the rate keep moving. */
  get grainBytes(): number {
    return Math.min(MAX_GRAIN_BYTES, Math.max(MIN_GRAIN_BYTES, Math.floor(this.#rateBps / GRAINS_PER_SECOND)));
  }

  /** Streams that can share the rate so that each keeps moving: over all tasks, and of one. */
  get streams(): { readonly host: number; readonly task: number } {
    const of = (rateBps: number) => Math.max(1, Math.floor(rateBps / MIN_STREAM_BPS));
    return { host: of(this.#host.rateBps), task: of(this.#taskBps) };
  }

  /** Takes effect at once, also for those who wait. */
  set({ hostBps, taskBps }: Rates): void {
    this.#host.setRate(hostBps);
    this.#taskBps = taskBps;
    for (const pacer of this.#tasks.values()) pacer.setRate(taskBps);
  }

  /** Resolves when so many bytes of the task may go. @throws the signal's reason */
  async take(taskId: string, bytes: number, signal: AbortSignal): Promise<void> {
    // The task's own limit first: who waits for that must not stand in the way of other tasks.
    if (this.#taskBps !== Number.POSITIVE_INFINITY) await this.#pacerOf(taskId).take(bytes, signal);
    if (this.#host.rateBps !== Number.POSITIVE_INFINITY) await this.#host.take(bytes, signal);
  }

  get #rateBps(): number {
    return Math.min(this.#host.rateBps, this.#taskBps);
  }

  #pacerOf(taskId: string): Pacer {
    const known = this.#tasks.get(taskId);
    if (known !== undefined) return known;
    for (const [id, pacer] of this.#tasks) if (pacer.idle) this.#tasks.delete(id);
    const pacer = new Pacer(this.#taskBps, this.#nowMs);
    this.#tasks.set(taskId, pacer);
    return pacer;
  }
}
