/** What a command must know to find the peer on its machine: the same settings, read the same way, as the peer itself. */
import { resolveSettings, type SettingFault, type SettingsTable } from "../../schema/settings.ts";
import { type ConfigFileSources, readConfigFile } from "./config-file.ts";
import { absolutePath, defaultDataDir, socketPathIn } from "./paths.ts";
import { PLACE_SETTINGS } from "./place-settings.ts";

const { socket, dataDir, config } = PLACE_SETTINGS;
export const CLIENT_SETTINGS = { socket: { ...socket, short: "e" }, dataDir, config } as const satisfies SettingsTable;

export type LoadedClientSettings =
  | {
      readonly kind: "settings";
      /** Absolute path of the peer's socket. */
      readonly socket: string;
      /** Flags that make a peer listen at that socket, with a blank before each; none for the default. */
      readonly startFlags: string;
    }
  | { readonly kind: "faults"; readonly faults: readonly SettingFault[] };

export async function loadClientSettings(sources: ConfigFileSources): Promise<LoadedClientSettings> {
  const { flags, env, cwd } = sources;
  const { file, faults } = await readConfigFile(sources);
  const places = file && { name: file.name, values: placesOf(file.values) };
  const resolved = resolveSettings(CLIENT_SETTINGS, { flags, env, file: places });
  if (resolved.kind === "faults") return { kind: "faults", faults: [...faults, ...resolved.faults] };
  if (faults.length > 0) return { kind: "faults", faults };
  const { settings, origins } = resolved;

  const paths = { env, cwd };
  if (settings.socket !== undefined) {
    const path = absolutePath(settings.socket, paths);
    return { kind: "settings", socket: path, startFlags: ` --socket ${path}` };
  }
  const folder = settings.dataDir === undefined ? defaultDataDir(paths) : absolutePath(settings.dataDir, paths);
  if (folder === undefined) {
    const problem = "has no default, since HOME is not set";
    return { kind: "faults", faults: [{ origin: origins.socket, value: "not set", problem, remedy: socket.remedy }] };
  }
  const startFlags = settings.dataDir === undefined ? "" : ` --data-dir ${folder}`;
  return { kind: "settings", socket: socketPathIn(folder), startFlags };
}

/** Socket and data folder from the peer's file: its other settings are the peer's business, and so are their faults. */
function placesOf(values: unknown): unknown {
  if (typeof values !== "object" || values === null) return values;
  return Object.fromEntries(Object.entries(values).filter(([key]) => key === "socket" || key === "dataDir"));
}
