/** Puts together what a self-hosted scheduler is told by flags, environment, YAML file and token file. */

import { join, resolve } from "node:path";
import { describeIssues } from "../../schema/issues.ts";
import {
  flagOf,
  isLoopback,
  type ListenAddress,
  type ResolvedSettings,
  resolveSettings,
  type SettingFault,
  variableOf,
} from "../../schema/settings.ts";
import { parseYamlFile } from "../../schema/settings-file.ts";
import { clusterTokenSetting } from "../../schema/shared-settings.ts";
import type { LibsqlPlace } from "../store/libsql.ts";
import { folderProblem } from "./data-folder.ts";
import { EDGE_SETTINGS, type EdgeTable, type GivenEdgeSettings } from "./edge-settings.ts";
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
  /** Infinite: no limit. */
  readonly taskSourceBps: number;
}

export type LoadedEdgeSettings =
  | { readonly kind: "settings"; readonly settings: EdgeSettings }
  | { readonly kind: "faults"; readonly faults: readonly SettingFault[] };

/** Draws a cluster token and writes its file when nothing names one, the data folder has none, and all else is right.
 *  Never rejects for what a person can mend: every fault of every place is in the result. */
export async function loadEdgeSettings(sources: EdgeSources): Promise<LoadedEdgeSettings> {
  return await new Loading(sources).load();
}

class Loading {
  readonly #sources: EdgeSources;
  readonly #faults: SettingFault[] = [];

  constructor(sources: EdgeSources) {
    this.#sources = sources;
  }

  async load(): Promise<LoadedEdgeSettings> {
    const file = await readConfig(this.#sources, this.#faults);
    // What a file that cannot be read says is not known: a default in its place is not to blame.
    const isWhole = this.#faults.length === 0;
    const resolved = resolveSettings(EDGE_SETTINGS, { flags: this.#sources.flags, env: this.#sources.env, file });
    if (resolved.kind === "faults") this.#faults.push(...resolved.faults);
    const given: Partial<GivenEdgeSettings> = resolved.kind === "settings" ? resolved.settings : resolved.valid;
    const { origins } = resolved;

    this.#checkShards(given, origins);
    const dataDir =
      "dataDir" in given && (isWhole || given.dataDir !== undefined) ? await this.#dataDir(given, origins) : undefined;
    const token = await this.#token(given, origins, dataDir);

    if (this.#faults.length > 0 || resolved.kind === "faults") return { kind: "faults", faults: this.#faults };
    if (dataDir === undefined || token === undefined)
      throw new Error("A setting is missing although no fault was found");
    const { listen, openQueries, taskSourceRate } = resolved.settings;
    const settings: EdgeSettings = {
      listen,
      dataDir,
      places: placesOf(resolved.settings, dataDir),
      token: token.text,
      newTokenFile: token.newFile,
      openQueries: openQueries ?? isLoopback(listen.hostname),
      taskSourceBps: taskSourceRate ?? Number.POSITIVE_INFINITY,
    };
    return { kind: "settings", settings };
  }

  #checkShards({ database, shards = 1 }: Partial<GivenEdgeSettings>, origins: Origins): void {
    if (database === undefined || shards === 1) return;
    const problem = "must be 1 with a database server, since every shard needs a database of its own";
    const remedy = "Leave out shards, or leave out database to keep one file a shard";
    this.#fault(origins.shards, String(shards), problem, remedy);
  }

  /** `undefined` when it cannot be used. */
  async #dataDir(given: Partial<GivenEdgeSettings>, origins: Origins): Promise<string | undefined> {
    const path = resolve(this.#sources.cwd, given.dataDir ?? defaultDataDir(this.#sources.env));
    const problem = await folderProblem(path);
    if (problem === undefined) return path;
    this.#fault(origins.dataDir, path, problem, EDGE_SETTINGS.dataDir.remedy);
    return undefined;
  }

  async #token(
    given: Partial<GivenEdgeSettings>,
    origins: Origins,
    dataDir: string | undefined,
  ): Promise<Token | undefined> {
    // One that is wrong in itself was told.
    if (!("token" in given && "tokenFile" in given)) return undefined;
    if (given.token !== undefined) return { text: given.token, newFile: undefined };
    const named = given.tokenFile === undefined ? undefined : resolve(this.#sources.cwd, given.tokenFile);
    const path = named ?? (dataDir === undefined ? undefined : tokenFileIn(dataDir));
    if (path === undefined) return undefined;
    const { remedy } = named === undefined ? EDGE_SETTINGS.dataDir : EDGE_SETTINGS.tokenFile;
    const origin = named === undefined ? origins.dataDir : origins.tokenFile;
    try {
      // A file that was named must exist: a slip in its name must not start a cluster of its own.
      const isDrawn = named === undefined && this.#faults.length === 0;
      const found = isDrawn ? await tokenIn(path) : { text: await readIfThere(path), isNew: false };
      if (found.text === undefined) {
        if (named !== undefined) this.#fault(origin, path, "there is no such file", remedy);
        return undefined;
      }
      const parsed = clusterTokenSetting.safeParse(found.text);
      if (parsed.success) return { text: parsed.data, newFile: found.isNew ? path : undefined };
      this.#fault(path, "hidden", `the token in it ${describeIssues(parsed.error)}`, EDGE_SETTINGS.token.remedy);
    } catch (error) {
      this.#fault(origin, path, `cannot be read or made (${messageOf(error)})`, remedy);
    }
    return undefined;
  }

  #fault(origin: string, value: string, problem: string, remedy: string): void {
    this.#faults.push({ origin, value, problem, remedy });
  }
}

type Origins = ResolvedSettings<EdgeTable>["origins"];

interface Token {
  readonly text: string;
  /** The file it was drawn for just now. */
  readonly newFile: string | undefined;
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
    const file = parseYamlFile(name, text);
    if (file.kind === "values") return { name, values: file.values };
    faults.push(...file.faults);
    return undefined;
  } catch (error) {
    return fault(`cannot be read (${messageOf(error)})`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
