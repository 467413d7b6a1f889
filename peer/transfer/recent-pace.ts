/** How fast something happens, by when it happened last. */
const REMEMBERED = 16;

export class RecentPace {
  readonly #atMs: number[] = [];

  note(nowMs: number): void {
    this.#atMs.push(nowMs);
    if (this.#atMs.length > REMEMBERED) this.#atMs.shift();
  }

  /** Times a second over the last 16; 0 before there were as many. */
  perSecond(nowMs: number): number {
    const [oldestMs] = this.#atMs;
    if (oldestMs === undefined || this.#atMs.length < REMEMBERED) return 0;
    return (1000 * REMEMBERED) / Math.max(1, nowMs - oldestMs);
  }
}
