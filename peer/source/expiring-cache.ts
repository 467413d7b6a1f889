/** Keys and tokens that live for a while: asked for once for all who need them, and renewed before they expire. */

export interface Expiring {
  /** Epoch milliseconds; absent for what lives on. */
  readonly expiresAtMs?: number;
}

export interface Provider<Value> {
  /** What tells its values from those of others; may be a secret. */
  readonly id: string;
  /** @throws whatever keeps it from giving one */
  readonly ask: () => Promise<Value>;
}

/** Values are renewed this long before they expire: a request that is signed now is sent a while later, and clocks differ. */
const MARGIN_MS = 5 * 60_000;
/** What has no end is asked for again after this, since whoever gives it may have replaced it. */
const UNLIMITED_LIFE_MS = 15 * 60_000;
const MAX_REMEMBERED = 100;

interface Remembered<Value> {
  readonly value: Value;
  readonly askedAtMs: number;
}

/** Bounded; what was asked for first is forgotten first. */
export class ExpiringCache<Value extends Expiring> {
  readonly #nowMs: () => number;
  readonly #failureMemoryMs: number;
  readonly #known = new Map<string, Remembered<Value>>();
  readonly #asking = new Map<string, Promise<Value>>();
  readonly #failed = new Map<string, { readonly atMs: number; readonly error: unknown }>();

  /** @param failureMemoryMs a provider that failed is not asked again for this long */
  constructor(nowMs: () => number, failureMemoryMs: number) {
    this.#nowMs = nowMs;
    this.#failureMemoryMs = failureMemoryMs;
  }

  /** @throws whatever the provider does, also when it was asked a short while ago */
  async get(provider: Provider<Value>): Promise<Value> {
    const { id } = provider;
    const known = this.#known.get(id);
    if (known !== undefined && this.#nowMs() < renewAtMs(known)) return known.value;
    const asking = this.#asking.get(id) ?? this.#ask(provider).finally(() => this.#asking.delete(id));
    this.#asking.set(id, asking);
    try {
      return await asking;
    } catch (error) {
      // The old ones are good for the last minutes of their life, in which the provider may come back.
      if (known !== undefined && this.#nowMs() < (known.value.expiresAtMs ?? Number.POSITIVE_INFINITY))
        return known.value;
      throw error;
    }
  }

  async #ask(provider: Provider<Value>): Promise<Value> {
    const failure = this.#failed.get(provider.id);
    if (failure !== undefined && this.#nowMs() < failure.atMs + this.#failureMemoryMs) throw failure.error;
    try {
      const value = await provider.ask();
      remember(this.#known, provider.id, { value, askedAtMs: this.#nowMs() });
      return value;
    } catch (error) {
      remember(this.#failed, provider.id, { atMs: this.#nowMs(), error });
      throw error;
    }
  }
}

function renewAtMs({ value, askedAtMs }: Remembered<Expiring>): number {
  return value.expiresAtMs === undefined ? askedAtMs + UNLIMITED_LIFE_MS : value.expiresAtMs - MARGIN_MS;
}

function remember<Value>(memory: Map<string, Value>, id: string, value: Value): void {
  memory.delete(id);
  memory.set(id, value);
  const oldest = memory.keys().next().value;
  if (memory.size > MAX_REMEMBERED && oldest !== undefined) memory.delete(oldest);
}
