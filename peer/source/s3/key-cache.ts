import type { AccessKeys } from "../bucket/layer-keys.ts";
import { type Expiring, ExpiringCache, type Provider } from "../expiring-cache.ts";

export interface TemporaryKeys extends AccessKeys, Expiring {}

export interface KeyProvider extends Provider<TemporaryKeys> {
  /** How messages call it. */
  readonly name: string;
}

/** On most machines nobody answers whom one could ask for keys. */
const FAILURE_MEMORY_MS = 60_000;

export class KeyCache extends ExpiringCache<TemporaryKeys> {
  constructor(nowMs: () => number) {
    super(nowMs, FAILURE_MEMORY_MS);
  }
}
