/** Puts together what a peer is told by flags, environment, YAML file and token file. */
import { hostname, networkInterfaces } from "node:os";
import {
  flagOf,
  isLoopback,
  type ListenAddress,
  type ResolvedSettings,
  resolveSettings,
  type SettingFault,
  variableOf,
} from "../../schema/settings.ts";
import { torchServeSettings } from "../torchserve/torchserve-settings.ts";
import { type Advertised, deriveAdvertised, type NetworkInterfaces } from "./advertised.ts";
import { type ConfigFile, readConfigFile } from "./config-file.ts";
import { gatewayFaults } from "./gateway-settings.ts";
import { absolutePath, defaultDataDir, MAX_SOCKET_PATH_BYTES, socketPathIn, tokenFileIn } from "./paths.ts";
import { type GivenPeerSettings, PEER_SETTINGS, type PeerSettings, type PeerTable } from "./peer-settings.ts";
import { insecureWarnings, proxyBlockOf, proxyFaults, withAbsolutePaths } from "./proxy-settings.ts";
import { isReadableByOthers, type ReadTextFile, readTextFile } from "./text-file.ts";
import { unknownProxyKeys } from "./unknown-proxy-keys.ts";
import { type CheckFolder, checkFolder } from "./writable-folder.ts";

export interface PeerSettingSources {
  /** Values of flags by table key; absent when not given. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly readFile?: ReadTextFile;
  readonly checkFolder?: CheckFolder;
  readonly systemHostname?: string;
  readonly interfaces?: NetworkInterfaces;
}

export type LoadedPeerSettings =
  | { readonly kind: "settings"; readonly settings: PeerSettings; readonly warnings: readonly string[] }
  | { readonly kind: "faults"; readonly faults: readonly SettingFault[] };

/** Never rejects for what a person can mend: every fault of every place is in the result, secrets hidden. */
export async function loadPeerSettings(sources: PeerSettingSources): Promise<LoadedPeerSettings> {
  const loading = new Loading(sources);
  const file = await loading.readConfig();
  const resolved = resolveSettings(PEER_SETTINGS, { flags: sources.flags, env: sources.env, file });
  return await loading.finish(resolved);
}

class Loading {
  readonly #sources: PeerSettingSources;
  readonly #paths: { readonly env: PeerSettingSources["env"]; readonly cwd: string };
  readonly #readFile: ReadTextFile;
  readonly #checkFolder: CheckFolder;
  readonly #faults: SettingFault[] = [];
  readonly #warnings: string[] = [];

  constructor(sources: PeerSettingSources) {
    this.#sources = sources;
    this.#paths = { env: sources.env, cwd: sources.cwd ?? process.cwd() };
    this.#readFile = sources.readFile ?? readTextFile;
    this.#checkFolder = sources.checkFolder ?? checkFolder;
  }

  /** The YAML file, when one is named and can be read. */
  async readConfig(): Promise<ConfigFile | undefined> {
    const { flags, env, readFile } = this.#sources;
    const { file, faults } = await readConfigFile({ flags, env, cwd: this.#paths.cwd, readFile });
    this.#faults.push(...faults);
    if (file?.readableByOthers && holdsSecrets(file.values)) {
      this.#warnings.push(`${file.name} holds secrets and other users can read it: run chmod 600 ${file.name}`);
    }
    const block = proxyBlockOf(file?.values);
    for (const key of unknownProxyKeys(block)) this.#warnings.push(`proxy.${key} means nothing here, and is ignored`);
    return file;
  }

  async finish(resolved: ResolvedSettings<PeerTable>): Promise<LoadedPeerSettings> {
    if (resolved.kind === "faults") this.#faults.push(...resolved.faults);
    const given = resolved.kind === "settings" ? resolved.settings : resolved.valid;
    const { origins } = resolved;

    const dataDir = await this.#dataDir(given, origins);
    const socket = this.#socket(given, origins, dataDir);
    const advertised = this.#advertised(given, origins);
    this.#checkWatermarks(given, origins);
    this.#faults.push(...gatewayFaults(given, origins));
    this.#faults.push(...(await proxyFaults(given, origins)));
    const token = "token" in given ? (given.token ?? (await this.#tokenFrom(given, origins, dataDir))) : undefined;

    if (this.#faults.length > 0 || resolved.kind === "faults") return { kind: "faults", faults: this.#faults };
    if (dataDir === undefined || socket === undefined || advertised === undefined || token === undefined) {
      throw new Error("A setting is missing although no fault was found");
    }
    const { config, tokenFile, advertise, torchserve, ...plain } = resolved.settings;
    this.#warnings.push(...insecureWarnings(plain.proxy));
    const settings: PeerSettings = {
      ...plain,
      proxy: withAbsolutePaths(plain.proxy, this.#paths),
      torchserve: torchserve && torchServeSettings(torchserve, this.#paths, process.platform),
      token,
      dataDir,
      socket,
      advertised,
      hostname: plain.hostname ?? (this.#sources.systemHostname ?? hostname()).slice(0, 255),
    };
    return { kind: "settings", settings, warnings: this.#warnings };
  }

  async #dataDir(given: Partial<GivenPeerSettings>, origins: Origins): Promise<string | undefined> {
    if (!("dataDir" in given)) return undefined;
    const { remedy } = PEER_SETTINGS.dataDir;
    const folder = given.dataDir === undefined ? defaultDataDir(this.#paths) : absolutePath(given.dataDir, this.#paths);
    if (folder === undefined) {
      this.#fault(origins.dataDir, "not set", "has no default, since HOME is not set", remedy);
      return undefined;
    }
    const why = await this.#checkFolder(folder);
    if (why !== undefined) this.#fault(origins.dataDir, folder, `cannot be made or written to (${why})`, remedy);
    return folder;
  }

  #socket(given: Partial<GivenPeerSettings>, origins: Origins, dataDir: string | undefined): string | undefined {
    if (!("socket" in given)) return undefined;
    const socket =
      given.socket === undefined ? dataDir && socketPathIn(dataDir) : absolutePath(given.socket, this.#paths);
    if (socket === undefined) return undefined;
    const bytes = Buffer.byteLength(socket);
    if (bytes > MAX_SOCKET_PATH_BYTES) {
      const problem = `must have at most ${MAX_SOCKET_PATH_BYTES} bytes as a path, this one has ${bytes}`;
      this.#fault(origins.socket, socket, problem, "Name a socket with a shorter path, such as /run/pantala/peer.sock");
    }
    return socket;
  }

  #advertised(given: Partial<GivenPeerSettings>, origins: Origins): Advertised | undefined {
    if (given.advertise !== undefined) return { kind: "origin", origin: given.advertise };
    if (!("advertise" in given) || given.listen === undefined) return undefined;
    const schedulerIsHere = given.scheduler === undefined || isLoopback(hostOf(given.scheduler));
    const derived = deriveAdvertised(given.listen, this.#sources.interfaces ?? networkInterfaces());
    if (schedulerIsHere) return derived ?? { kind: "host", host: "127.0.0.1" };
    if (derived === undefined) {
      const problem = "must be given, since this machine has no address that others could reach";
      this.#fault(origins.advertise, "not set", problem, "Name the origin under which other peers reach this host");
    } else if (isLoopback(given.listen.hostname)) {
      const problem = `must be given, since peers of ${given.scheduler} cannot reach ${hostAndPort(given.listen)}`;
      const elsewhere = hostAndPort({ hostname: "0.0.0.0", port: given.listen.port });
      const remedy = `Listen where others reach this host (${flagOf("listen")} ${elsewhere}), or name the origin they use`;
      this.#fault(origins.advertise, "not set", problem, remedy);
    }
    return derived;
  }

  #checkWatermarks({ diskHigh, diskLow }: Partial<GivenPeerSettings>, origins: Origins): void {
    if (diskHigh === undefined || diskLow === undefined || diskLow < diskHigh) return;
    const problem = `must be below the high watermark, which is ${diskHigh}`;
    this.#fault(origins.diskLow, String(diskLow), problem, PEER_SETTINGS.diskLow.remedy);
  }

  async #tokenFrom(
    given: Partial<GivenPeerSettings>,
    origins: Origins,
    dataDir: string | undefined,
  ): Promise<string | undefined> {
    if (!("tokenFile" in given)) return undefined;
    const name =
      given.tokenFile === undefined ? dataDir && tokenFileIn(dataDir) : absolutePath(given.tokenFile, this.#paths);
    if (name === undefined) return undefined;
    const remedy =
      `Copy the file cluster-token from the scheduler's data folder to ${name}, ` +
      `or set ${variableOf("token")} to what it holds`;
    const file = await this.#read(name, origins.tokenFile, remedy);
    if (file === undefined) return undefined;
    if (isReadableByOthers(file)) {
      this.#warnings.push(`${name} holds the cluster token and other users can read it: run chmod 600 ${name}`);
    }
    const parsed = PEER_SETTINGS.token.schema.safeParse(file.text);
    if (parsed.success) return parsed.data;
    const problem = parsed.error.issues.map((issue) => issue.message).join("; ");
    this.#fault(name, "hidden", `the token in it ${problem}`, remedy);
    return undefined;
  }

  async #read(name: string, origin: string, remedy: string): ReturnType<ReadTextFile> {
    try {
      const file = await this.#readFile(name);
      if (file === undefined) this.#fault(origin, name, "there is no such file", remedy);
      return file;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#fault(origin, name, `cannot be read (${reason})`, remedy);
      return undefined;
    }
  }

  #fault(origin: string, value: string, problem: string, remedy: string): void {
    this.#faults.push({ origin, value, problem, remedy });
  }
}

type Origins = ResolvedSettings<PeerTable>["origins"];

function hostOf(url: string): string {
  return new URL(url).hostname.replaceAll(/[[\]]/g, "");
}

function hostAndPort({ hostname: host, port }: ListenAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function holdsSecrets(values: unknown): boolean {
  if (typeof values !== "object" || values === null) return false;
  if ("token" in values || "gatewayKeys" in values || /"password"/.test(JSON.stringify(proxyBlockOf(values) ?? "")))
    return true;
  const rules = "stores" in values && Array.isArray(values.stores) ? values.stores : [];
  return rules.some(
    (rule: unknown) =>
      typeof rule === "object" && rule !== null && ("secretAccessKey" in rule || "sessionToken" in rule),
  );
}
