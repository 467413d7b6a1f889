/** A rate as plain arithmetic: bytes may go as tokens come in, and tokens that nobody needs are kept for a moment. Whoever
 *  asks says what time it is. */

/** What can be saved up, as a time at the full rate: about as long as a busy machine keeps a timer waiting. */
const BURST_MS = 250;

export class TokenBucket {
  #rateBps: number;
  /** Below 0: a debt, which is paid before anything else goes. */
  #tokens: number;
  #atMs: number;

  /** Begins full. `rateBps`: bytes a second above 0; Infinity is no limit. */
  constructor(rateBps: number, nowMs: number) {
    this.#rateBps = rateBps;
    this.#tokens = this.#burst;
    this.#atMs = nowMs;
  }

  get rateBps(): number {
    return this.#rateBps;
  }

  /** What came in until now came in at the old rate. A debt stays, unless there is no limit any more. */
  setRate(rateBps: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#rateBps = rateBps;
    this.#tokens = Math.min(this.#tokens, this.#burst);
  }

  /** How long until so many bytes may go; 0 is now. More than can be saved up may go once the bucket is full. */
  waitMs(bytes: number, nowMs: number): number {
    if (this.#rateBps === Number.POSITIVE_INFINITY) return 0;
    this.#fill(nowMs);
    const missing = Math.min(bytes, this.#burst) - this.#tokens;
    return missing <= 0 ? 0 : Math.ceil((missing * 1000) / this.#rateBps);
  }

  /** So many bytes go. */
  spend(bytes: number, nowMs: number): void {
    if (this.#rateBps === Number.POSITIVE_INFINITY) return;
    this.#fill(nowMs);
    this.#tokens -= bytes;
  }

  /** Whether it is as good as new. */
  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens >= this.#burst;
  }

  get #burst(): number {
    return (this.#rateBps * BURST_MS) / 1000;
  }

  #fill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    this.#atMs = nowMs;
    if (this.#rateBps === Number.POSITIVE_INFINITY) this.#tokens = Number.POSITIVE_INFINITY;
    else this.#tokens = Math.min(this.#burst, this.#tokens + (this.#rateBps * elapsedMs) / 1000);
  }
}
