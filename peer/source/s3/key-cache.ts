/** Keys that live for a while: asked for once for all who need them, and renewed before they expire. */
import type { AccessKeys } from "../bucket/layer-keys.ts";

export interface TemporaryKeys extends AccessKeys {
  /** Epoch milliseconds; absent when they live on. */
  readonly expiresAtMs?: number;
}

export interface KeyProvider {
  /** How messages call it. */
  readonly name: string;
  /** What tells its keys from those of others. */
  readonly id: string;
  /** @throws whatever keeps it from giving keys */
  readonly ask: () => Promise<TemporaryKeys>;
}

/** Keys are renewed this long before they expire: a request signed now is sent a while later, and clocks differ. */
const MARGIN_MS = 5 * 60_000;
/** Keys without an end are asked for again after this, since whoever gives them may have replaced them. */
const UNLIMITED_LIFE_MS = 15 * 60_000;
/** A provider that has no keys is not asked again for this long: on most machines nobody answers. */
const FAILURE_MEMORY_MS = 60_000;
const MAX_REMEMBERED = 100;

interface Remembered {
  readonly keys: TemporaryKeys;
  readonly askedAtMs: number;
}

/** Bounded; the keys that were asked for first are forgotten first. */
export class KeyCache {
  readonly #nowMs: () => number;
  readonly #known = new Map<string, Remembered>();
  readonly #asking = new Map<string, Promise<AccessKeys>>();
  readonly #failed = new Map<string, { readonly atMs: number; readonly error: unknown }>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** @throws whatever the provider does, also when it was asked a short while ago */
  async get(provider: KeyProvider): Promise<AccessKeys> {
    const { id } = provider;
    const known = this.#known.get(id);
    if (known !== undefined && this.#nowMs() < renewAtMs(known)) return known.keys;
    const asking = this.#asking.get(id) ?? this.#ask(provider).finally(() => this.#asking.delete(id));
    this.#asking.set(id, asking);
    try {
      return await asking;
    } catch (error) {
      // The old ones are good for the last minutes of their life, in which the provider may come back.
      if (known !== undefined && this.#nowMs() < (known.keys.expiresAtMs ?? Number.POSITIVE_INFINITY))
        return known.keys;
      throw error;
    }
  }

  async #ask(provider: KeyProvider): Promise<AccessKeys> {
    const failure = this.#failed.get(provider.id);
    if (failure !== undefined && this.#nowMs() < failure.atMs + FAILURE_MEMORY_MS) throw failure.error;
    try {
      const keys = await provider.ask();
      remember(this.#known, provider.id, { keys, askedAtMs: this.#nowMs() });
      return keys;
    } catch (error) {
      remember(this.#failed, provider.id, { atMs: this.#nowMs(), error });
      throw error;
    }
  }
}

function renewAtMs({ keys, askedAtMs }: Remembered): number {
  return keys.expiresAtMs === undefined ? askedAtMs + UNLIMITED_LIFE_MS : keys.expiresAtMs - MARGIN_MS;
}

function remember<Value>(memory: Map<string, Value>, id: string, value: Value): void {
  memory.delete(id);
  memory.set(id, value);
  const oldest = memory.keys().next().value;
  if (memory.size > MAX_REMEMBERED && oldest !== undefined) memory.delete(oldest);
}
