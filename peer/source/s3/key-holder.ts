import type { AccessKeys } from "../bucket/layer-keys.ts";

/** Keys that may be replaced in the course of time. */
export interface KeyHolder {
  /** As they were last. */
  readonly latest: AccessKeys;
  /** Renewed when that is due.
   *  @throws ProblemError `source-forbidden` when they cannot be */
  fresh(): Promise<AccessKeys>;
}

export function fixedKeys(keys: AccessKeys): KeyHolder {
  return { latest: keys, fresh: async () => keys };
}
