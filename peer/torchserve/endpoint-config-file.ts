/** Where `config.json` of Dragonfly Endpoint lies, and what it says. */
import { ProblemError } from "../../schema/problem.ts";
import { describeFaults } from "../../schema/settings.ts";
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

/** A relative path in it starts where this process does, as with the plugin.
 *  @throws ProblemError `bad-request` naming every fault, or that there is no such file */
export async function loadEndpointConfig(path: string, context: PathContext): Promise<LoadedEndpointConfig> {
  const read = await readJsonFile(path, endpointConfigSchema, REMEDY);
  if (read.kind === "value") return { config: withPaths(read.value, context), readableByOthers: read.readableByOthers };
  if (read.kind === "faults")
    throw new ProblemError("bad-request", describeFaults("read the object storage", read.faults));
  const message = `There is no ${path}: write it as docs/torchserve.md shows, or name another file with --config or in ${VARIABLE}`;
  throw new ProblemError("bad-request", message);
}

function withPaths(config: EndpointConfig, context: PathContext): EndpointConfig {
  const { url, store } = config.object_storage;
  if (store.serviceAccountFile === undefined) return config;
  const serviceAccountFile = absolutePath(store.serviceAccountFile, context);
  return { ...config, object_storage: { url, store: { ...store, serviceAccountFile } } };
}
