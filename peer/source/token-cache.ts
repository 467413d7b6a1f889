/** Bearer tokens that live for a while: fetched once for all who need them, and renewed before they expire. */

export interface BearerToken {
  readonly token: string;
  /** Epoch milliseconds. */
  readonly expiresAtMs: number;
}

/** A token is not used in its last minutes: the request it goes with takes its time, and clocks differ. */
const MARGIN_MS = 120_000;
const MAX_REMEMBERED = 100;
const FETCH_TIMEOUT_MS = 10_000;

/** Bounded; the token that was fetched first is forgotten first. */
export class TokenCache {
  readonly #nowMs: () => number;
  readonly #known = new Map<string, BearerToken>();
  readonly #fetching = new Map<string, Promise<BearerToken>>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** @param id what tells this token from others; may be a secret
   *  @throws whatever `fetchToken` does, each time anew */
  async get(id: string, fetchToken: (signal: AbortSignal) => Promise<BearerToken>): Promise<string> {
    const known = this.#known.get(id);
    if (known !== undefined && this.#nowMs() < known.expiresAtMs - MARGIN_MS) return known.token;
    const underWay = this.#fetching.get(id);
    if (underWay !== undefined) return (await underWay).token;
    const fetching = fetchToken(AbortSignal.timeout(FETCH_TIMEOUT_MS));
    this.#fetching.set(id, fetching);
    try {
      const fetched = await fetching;
      this.#remember(id, fetched);
      return fetched.token;
    } finally {
      this.#fetching.delete(id);
    }
  }

  #remember(id: string, token: BearerToken): void {
    this.#known.delete(id);
    this.#known.set(id, token);
    const oldest = this.#known.keys().next().value;
    if (this.#known.size > MAX_REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
  }
}
