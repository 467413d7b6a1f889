/** The data folder of the peer on this machine, for commands that put files there. */
import { resolveSettings, type SettingFault } from "../../schema/settings.ts";
import { type ConfigFileSources, readConfigFile } from "./config-file.ts";
import { absolutePath, defaultDataDir } from "./paths.ts";
import { PLACE_SETTINGS } from "./place-settings.ts";

/** The same settings as the peer's own, read the same way. */
export const DATA_DIR_SETTINGS = { dataDir: PLACE_SETTINGS.dataDir, config: PLACE_SETTINGS.config } as const;

export type LoadedDataDir =
  | { readonly kind: "folder"; readonly folder: string }
  | { readonly kind: "faults"; readonly faults: readonly SettingFault[] };

export async function loadDataDir(sources: ConfigFileSources): Promise<LoadedDataDir> {
  const { flags, env, cwd } = sources;
  const { file, faults } = await readConfigFile(sources);
  const values = file?.values;
  const dataDir = typeof values === "object" && values !== null && "dataDir" in values ? values.dataDir : undefined;
  const place = file && { name: file.name, values: dataDir === undefined ? {} : { dataDir } };
  const resolved = resolveSettings(DATA_DIR_SETTINGS, { flags, env, file: place });
  if (resolved.kind === "faults" || faults.length > 0) {
    return { kind: "faults", faults: [...faults, ...(resolved.kind === "faults" ? resolved.faults : [])] };
  }
  const given = resolved.settings.dataDir;
  const folder = given === undefined ? defaultDataDir({ env, cwd }) : absolutePath(given, { env, cwd });
  if (folder !== undefined) return { kind: "folder", folder };
  const problem = "has no default, since HOME is not set";
  const { remedy } = DATA_DIR_SETTINGS.dataDir;
  return { kind: "faults", faults: [{ origin: resolved.origins.dataDir, value: "not set", problem, remedy }] };
}
