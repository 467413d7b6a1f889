/** Where `config.json` of Dragonfly Endpoint lies, and what it says. */
import { ProblemError } from "../../schema/problem.ts";
import { describeFaults, type SettingFault } from "../../schema/settings.ts";
import { readJsonFile } from "../config/json-file.ts";
import { absolutePath, type PathContext } from "../config/paths.ts";
import { type EndpointConfig, endpointConfigSchema } from "./endpoint-config.ts";

const VARIABLE = "DRAGONFLY_ENDPOINT_CONFIG";
const REMEDY = "Write the field as docs/torchserve.md shows it";

/** Absolute: what was given, else what `DRAGONFLY_ENDPOINT_CONFIG` names, else where the plugin looks. */
export function endpointConfigPath(given: string | undefined, context: PathContext, platform: string): string {
  const named = given ?? (context.env[VARIABLE] || undefined);
  const usual = platform === "darwin" ? "~/.dragonfly-endpoint/config.json" : "/etc/dragonfly-endpoint/config.json";
  return absolutePath(named ?? usual, context);
}

export interface LoadedEndpointConfig {
  readonly config: EndpointConfig;
  /** It holds secrets, and other users can read it. */
  readonly readableByOthers: boolean;
}

export type ReadEndpointConfig =
  | { readonly kind: "config"; readonly loaded: LoadedEndpointConfig }
  | { readonly kind: "faults"; readonly faults: readonly SettingFault[] };

/** A relative path in it starts where this process does, as with the plugin. Every fault of it, or that there is no such
 *  file, is told. */
export async function readEndpointConfig(path: string, context: PathContext): Promise<ReadEndpointConfig> {
  const read = await readJsonFile(path, endpointConfigSchema, REMEDY);
  if (read.kind === "faults") return read;
  if (read.kind === "absent") return { kind: "faults", faults: [absent(path)] };
  const { value, readableByOthers } = read;
  return { kind: "config", loaded: { config: withPaths(value, context), readableByOthers } };
}

/** @throws ProblemError `bad-request` naming every fault */
export async function loadEndpointConfig(path: string, context: PathContext): Promise<LoadedEndpointConfig> {
  const read = await readEndpointConfig(path, context);
  if (read.kind === "config") return read.loaded;
  throw new ProblemError("bad-request", describeFaults("read the object storage", read.faults));
}

function absent(path: string): SettingFault {
  const remedy = `Write it as docs/torchserve.md shows, or name another file with --config or in ${VARIABLE}`;
  return { origin: path, value: "absent", problem: "there is no such file", remedy };
}

function withPaths(config: EndpointConfig, context: PathContext): EndpointConfig {
  const { url, store } = config.object_storage;
  if (store.serviceAccountFile === undefined) return config;
  const serviceAccountFile = absolutePath(store.serviceAccountFile, context);
  return { ...config, object_storage: { url, store: { ...store, serviceAccountFile } } };
}
