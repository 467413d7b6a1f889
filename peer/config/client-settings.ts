/** What a command must know to find the peer on its machine: the same settings, read the same way, as the peer itself. */
import { resolveSettings, type SettingFault, type SettingsTable, variableOf } from "../../schema/settings.ts";
import { absolutePath, defaultDataDir, socketPathIn } from "./paths.ts";
import { PEER_SETTINGS } from "./peer-settings.ts";
import { type ReadTextFile, readTextFile } from "./text-file.ts";
import { parseYamlFile } from "./yaml-file.ts";

const { socket, dataDir, config } = PEER_SETTINGS;
export const CLIENT_SETTINGS = { socket: { ...socket, short: "e" }, dataDir, config } as const satisfies SettingsTable;

export interface ClientSettingSources {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly readFile?: ReadTextFile;
}

export type LoadedClientSettings =
  | {
      readonly kind: "settings";
      /** Absolute path of the peer's socket. */
      readonly socket: string;
      /** Flags that make a peer listen at that socket, with a blank before each; none for the default. */
      readonly startFlags: string;
    }
  | { readonly kind: "faults"; readonly faults: readonly SettingFault[] };

export async function loadClientSettings(sources: ClientSettingSources): Promise<LoadedClientSettings> {
  const { flags, env, cwd } = sources;
  const file = await readPlaces(sources);
  if (file.kind === "faults") return file;
  const resolved = resolveSettings(CLIENT_SETTINGS, { flags, env, file: file.file });
  if (resolved.kind === "faults") return { kind: "faults", faults: resolved.faults };
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

type Places =
  | { readonly kind: "places"; readonly file?: { readonly name: string; readonly values: unknown } | undefined }
  | { readonly kind: "faults"; readonly faults: readonly SettingFault[] };

/** Socket and data folder from the peer's file. Its other settings are the peer's business, and so are their faults. */
async function readPlaces({ flags, env, cwd, readFile = readTextFile }: ClientSettingSources): Promise<Places> {
  const named = config.schema.safeParse(flags.config ?? (env[variableOf("config")] || undefined));
  if (!named.success || named.data === undefined) return { kind: "places" };
  const name = absolutePath(named.data, { env, cwd });
  const fault = (problem: string): Places => ({
    kind: "faults",
    faults: [
      { origin: "--config", value: name, problem, remedy: "Name the peer's YAML file, or its socket with --socket" },
    ],
  });
  try {
    const file = await readFile(name);
    if (file === undefined) return fault("there is no such file");
    const parsed = parseYamlFile(name, file.text);
    if (parsed.kind === "faults") return parsed;
    const values = Object.entries(parsed.values ?? {}).filter(([key]) => key === "socket" || key === "dataDir");
    return { kind: "places", file: { name, values: Object.fromEntries(values) } };
  } catch (error) {
    return fault(`cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}
