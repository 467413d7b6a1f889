import { TokenBucket } from "../limits/token-bucket.ts";
import { ProxyRefusal } from "./proxy-refusal.ts";

/** How many requests a second the proxy takes; the rest is told when to come again. */
export class RequestRate {
  readonly #nowMs: () => number;
  readonly #mostPerSecond: () => number | undefined;
  readonly #bucket: TokenBucket;

  /** `mostPerSecond` is read at every request, since it can change. `nowMs` is never set back. */
  constructor(mostPerSecond: () => number | undefined, nowMs: () => number) {
    this.#mostPerSecond = mostPerSecond;
    this.#nowMs = nowMs;
    this.#bucket = new TokenBucket(mostPerSecond() ?? Number.POSITIVE_INFINITY, nowMs());
  }

  /** @throws ProxyRefusal 429 */
  take(): void {
    const nowMs = this.#nowMs();
    const rate = this.#mostPerSecond() ?? Number.POSITIVE_INFINITY;
    if (rate !== this.#bucket.rateBps) this.#bucket.setRate(rate, nowMs);
    const waitMs = this.#bucket.waitMs(1, nowMs);
    if (waitMs === 0) {
      this.#bucket.spend(1, nowMs);
      return;
    }
    const seconds = Math.ceil(waitMs / 1000);
    throw new ProxyRefusal(429, "proxy", `This proxy takes ${rate} requests a second: ask again in ${seconds} s`, {
      headers: { "Retry-After": String(seconds) },
    });
  }
}
