/** A store as a command line names it. */
import { resolveSettings, type SettingFault } from "../../schema/settings.ts";
import type { StoreOptions } from "../../schema/wire/store-options.ts";
import type { CliContext } from "./cli-context.ts";
import { STORAGE_SETTINGS } from "./storage-settings.ts";
import { storeOptionsOf } from "./store-options.ts";

export interface StoreSource {
  readonly url: string;
  readonly store?: StoreOptions;
}

/** Faults of the flags themselves are left to whoever reads them with the others. */
export async function readStoreSource(
  url: string,
  flags: Readonly<Record<string, unknown>>,
  { env, cwd }: Pick<CliContext, "env" | "cwd">,
): Promise<{ readonly source: StoreSource; readonly faults: readonly SettingFault[] }> {
  const resolved = resolveSettings(STORAGE_SETTINGS, { flags, env });
  const settings = resolved.kind === "settings" ? resolved.settings : resolved.valid;
  const { options, faults } = await storeOptionsOf({ url, settings, flags, env, cwd });
  return { source: Object.keys(options).length === 0 ? { url } : { url, store: options }, faults };
}
