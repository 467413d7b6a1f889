import { isDeepStrictEqual } from "node:util";
import type { Setting } from "../../schema/settings.ts";
import { PEER_SETTINGS, type PeerSettings } from "./peer-settings.ts";

export interface ChangedSettings {
  /** What a running peer goes on with: the old settings, and of the new ones those that are live. */
  readonly settings: PeerSettings;
  /** Names of live settings that changed. */
  readonly live: readonly string[];
  /** Names of others that changed: they take effect at the next start. */
  readonly pending: readonly string[];
}

/** What becomes of a running peer whose settings were read again. */
export function changedSettings(before: PeerSettings, after: PeerSettings): ChangedSettings {
  const table: Record<string, Setting> = PEER_SETTINGS;
  const live: string[] = [];
  const pending: string[] = [];
  const taken: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(after)) {
    if (isDeepStrictEqual(value, taken[key])) continue;
    const name = key === "advertised" ? "advertise" : key;
    if (table[name]?.live) {
      taken[key] = value;
      live.push(name);
    } else {
      pending.push(name);
    }
  }
  return { settings: taken as unknown as PeerSettings, live, pending };
}
