/** Lets bytes go at a rate, in the order in which they are asked for: streams that ask for a little at a time, over and
 *  over, get equal shares. */
import { TokenBucket } from "./token-bucket.ts";

interface Waiter {
  readonly bytes: number;
  readonly go: () => void;
}

export class Pacer {
  readonly #bucket: TokenBucket;
  readonly #nowMs: () => number;
  /** First come, first served. As many as there are streams. */
  readonly #waiting = new Set<Waiter>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `rateBps`: bytes a second; Infinity is no limit. `nowMs` is never set back. */
  constructor(rateBps: number, nowMs: () => number) {
    this.#bucket = new TokenBucket(rateBps, nowMs());
    this.#nowMs = nowMs;
  }

  get rateBps(): number {
    return this.#bucket.rateBps;
  }

  /** Nobody waits, and what went before makes nobody wait any more. */
  get idle(): boolean {
    return this.#waiting.size === 0 && this.#bucket.isFull(this.#nowMs());
  }

  /** Takes effect at once, also for those who wait. */
  setRate(rateBps: number): void {
    this.#bucket.setRate(rateBps, this.#nowMs());
    this.#letGo();
  }

  /** Resolves when so many bytes may go. @throws the signal's reason */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#waiting.size === 0 && this.#bucket.waitMs(bytes, this.#nowMs()) === 0) {
      this.#bucket.spend(bytes, this.#nowMs());
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { bytes, go: resolve };
    const leave = () => {
      this.#waiting.delete(waiter);
      reject(signal.reason);
      this.#letGo();
    };
    this.#waiting.add(waiter);
    signal.addEventListener("abort", leave);
    this.#letGo();
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  #letGo(): void {
    clearTimeout(this.#timer);
    for (const waiter of this.#waiting) {
      const waitMs = this.#bucket.waitMs(waiter.bytes, this.#nowMs());
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#letGo(), waitMs);
        return;
      }
      this.#bucket.spend(waiter.bytes, this.#nowMs());
      this.#waiting.delete(waiter);
      waiter.go();
    }
  }
}
