/** Puts together what a self-hosted scheduler is told by flags, environment, YAML file and token file. */
import { join, resolve } from "node:path";
import { parseDocument } from "yaml";
import {
  flagOf,
  isLoopback,
  type ListenAddress,
  resolveSettings,
  type SettingFault,
  variableOf,
} from "../../schema/settings.ts";
import type { LibsqlPlace } from "../store/libsql.ts";
import { clusterToken, EDGE_SETTINGS, type GivenEdgeSettings } from "./edge-settings.ts";
import { defaultDataDir, readIfThere, tokenFileIn, tokenIn } from "./token-file.ts";

export interface EdgeSources {
  /** Values of flags by table key; absent when not given. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Everything a scheduler is told at its start; paths are absolute. */
export interface EdgeSettings {
  readonly listen: ListenAddress;
  readonly dataDir: string;
  /** One a shard. */
  readonly places: readonly LibsqlPlace[];
  /** Secret of the cluster: never logged. */
  readonly token: string;
  /** The file a token was drawn for and written to just now. */
  readonly newTokenFile: string | undefined;
  readonly openQueries: boolean;
}

export type LoadedEdgeSettings =
  | { readonly kind: "settings"; readonly settings: EdgeSettings }
  | { readonly kind: "faults"; readonly faults: readonly SettingFault[] };

/** Draws a cluster token and writes its file when nothing names one and the data folder has none.
 *  Never rejects for what a person can mend. */
export async function loadEdgeSettings(sources: EdgeSources): Promise<LoadedEdgeSettings> {
  const faults: SettingFault[] = [];
  const file = await readConfig(sources, faults);
  const resolved = resolveSettings(EDGE_SETTINGS, { flags: sources.flags, env: sources.env, file });
  if (resolved.kind === "faults") return { kind: "faults", faults: [...faults, ...resolved.faults] };
  const given = resolved.settings;

  if (given.database !== undefined && given.shards > 1) {
    faults.push({
      origin: resolved.origins.shards,
      value: String(given.shards),
      problem: "must be 1 with a database server, since every shard needs a database of its own",
      remedy: "Leave out shards, or leave out database to keep one file a shard",
    });
  }
  const dataDir = resolve(sources.cwd, given.dataDir ?? defaultDataDir(sources.env));
  if (faults.length > 0) return { kind: "faults", faults };
  const token = await tokenOf(given, dataDir, sources.cwd, resolved.origins.tokenFile);
  if ("fault" in token) return { kind: "faults", faults: [token.fault] };
  const settings: EdgeSettings = {
    listen: given.listen,
    dataDir,
    places: placesOf(given, dataDir),
    token: token.token,
    newTokenFile: token.newFile,
    openQueries: given.openQueries ?? isLoopback(given.listen.hostname),
  };
  return { kind: "settings", settings };
}

type TokenFound = { readonly token: string; readonly newFile: string | undefined } | { readonly fault: SettingFault };

async function tokenOf(given: GivenEdgeSettings, dataDir: string, cwd: string, origin: string): Promise<TokenFound> {
  if (given.token !== undefined) return { token: given.token, newFile: undefined };
  const path = given.tokenFile === undefined ? tokenFileIn(dataDir) : resolve(cwd, given.tokenFile);
  const { remedy } = EDGE_SETTINGS.tokenFile;
  try {
    // A file that was named must exist: a slip in its name must not start a cluster of its own.
    const found = given.tokenFile === undefined ? await tokenIn(path) : { text: await readIfThere(path), isNew: false };
    if (found.text === undefined) return { fault: { origin, value: path, problem: "there is no such file", remedy } };
    const parsed = clusterToken.safeParse(found.text);
    if (parsed.success) return { token: parsed.data, newFile: found.isNew ? path : undefined };
    const problem = `the token in it ${parsed.error.issues.map((issue) => issue.message).join("; ")}`;
    return { fault: { origin: path, value: "hidden", problem, remedy: EDGE_SETTINGS.token.remedy } };
  } catch (error) {
    return { fault: { origin, value: path, problem: `cannot be read or made (${messageOf(error)})`, remedy } };
  }
}

function placesOf({ database, databaseAuthToken, shards }: GivenEdgeSettings, dataDir: string): LibsqlPlace[] {
  if (database !== undefined) return [{ kind: "server", url: database, authToken: databaseAuthToken }];
  // The count is in the name because it decides which tasks and hosts belong into a file.
  const nameOf = (shard: number) => (shards === 1 ? "scheduler.db" : `scheduler-${shard}-of-${shards}.db`);
  return Array.from({ length: shards }, (_, shard) => ({ kind: "file", path: join(dataDir, nameOf(shard)) }));
}

async function readConfig({ flags, env, cwd }: EdgeSources, faults: SettingFault[]) {
  const named = EDGE_SETTINGS.config.schema.safeParse(flags.config ?? (env[variableOf("config")] || undefined));
  // A name that is wrong in itself is reported with the other settings.
  if (!named.success || named.data === undefined) return undefined;
  const name = resolve(cwd, named.data);
  const origin = flags.config === undefined ? variableOf("config") : flagOf("config");
  const fault = (problem: string) => {
    faults.push({ origin, value: name, problem, remedy: EDGE_SETTINGS.config.remedy });
    return undefined;
  };
  try {
    const text = await readIfThere(name);
    if (text === undefined) return fault("there is no such file");
    const document = parseDocument(text, { prettyErrors: false });
    // Without the text around the place, which may be a secret.
    if (document.errors.length > 0) return fault(`is not valid YAML (${document.errors[0]?.code})`);
    return { name, values: document.toJS() as unknown };
  } catch (error) {
    return fault(`cannot be read (${messageOf(error)})`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
