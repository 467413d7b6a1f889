import { type Expiring, ExpiringCache } from "./expiring-cache.ts";

export interface BearerToken extends Expiring {
  readonly token: string;
}

/** Who mends a file or a right tries again after a moment. */
const FAILURE_MEMORY_MS = 2_000;
const FETCH_TIMEOUT_MS = 10_000;

export class TokenCache {
  readonly #cache: ExpiringCache<BearerToken>;

  constructor(nowMs: () => number) {
    this.#cache = new ExpiringCache(nowMs, FAILURE_MEMORY_MS);
  }

  /** @param id what tells this token from others; may be a secret
   *  @throws whatever `fetchToken` does */
  async get(id: string, fetchToken: (signal: AbortSignal) => Promise<BearerToken>): Promise<string> {
    const ask = () => fetchToken(AbortSignal.timeout(FETCH_TIMEOUT_MS));
    return (await this.#cache.get({ id, ask })).token;
  }
}
