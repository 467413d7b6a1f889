/** When a task was last used. It outlives the process as the time stamp of a file of the task, because a time stamp takes
 *  no room: it can be set on a full disk. */
import { utimes } from "node:fs/promises";

/** A kill loses at most this much of the truth; so much matters little to what is evicted after days. */
const SAVE_INTERVAL_MS = 5 * 60_000;

export class LastUse {
  readonly #path: string;
  readonly #nowMs: () => number;
  #atMs: number;
  #savedAtMs: number;

  /** `path`: the file that carries it. */
  constructor(path: string, atMs: number, nowMs: () => number) {
    this.#path = path;
    this.#nowMs = nowMs;
    // A clock that was put back would make a task look used for ever.
    this.#atMs = Math.min(atMs, nowMs());
    this.#savedAtMs = this.#atMs;
  }

  get atMs(): number {
    return this.#atMs;
  }

  /** It is used now. No two uses have the same time, so that a use in between can be told by it. */
  note(): void {
    this.#atMs = Math.max(this.#nowMs(), this.#atMs + 1);
    if (this.#atMs - this.#savedAtMs >= SAVE_INTERVAL_MS) void this.save();
  }

  /** Writes what is not written yet. A failure costs nothing but this. */
  async save(): Promise<void> {
    if (this.#savedAtMs === this.#atMs) return;
    await this.restore();
  }

  /** Sets the time stamp anew after the file was replaced. */
  async restore(): Promise<void> {
    this.#savedAtMs = this.#atMs;
    const at = new Date(this.#atMs);
    await utimes(this.#path, at, at).catch(() => undefined);
  }
}
