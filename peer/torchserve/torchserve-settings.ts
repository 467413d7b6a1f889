/** Settings of the face before TorchServe: flags of `pantala torchserve`, and the block `torchserve` of a peer's file. */
import { stat } from "node:fs/promises";
import { z } from "zod";
import {
  isLoopback,
  type ListenAddress,
  listenAddress,
  type SettingFault,
  type SettingsTable,
} from "../../schema/settings.ts";
import { pathSetting } from "../../schema/shared-settings.ts";
import { absolutePath, type PathContext } from "../config/paths.ts";
import { endpointConfigPath } from "./endpoint-config-file.ts";

const managementUrl = z
  .url({ protocol: /^http$/, error: "must be an http:// URL" })
  .max(1024)
  .refine((url) => /^http:\/\/[^@?#/]+\/?$/i.test(url), "must be an address alone, such as http://127.0.0.1:8085")
  .transform((url) => url.replace(/\/+$/, ""));

export const TORCHSERVE_SETTINGS = {
  config: {
    schema: pathSetting.optional(),
    value: "FILE",
    help: "config.json of Dragonfly Endpoint: the bucket of the models, and its keys",
    remedy: "Name a readable JSON file",
    defaultText: "DRAGONFLY_ENDPOINT_CONFIG, else /etc/dragonfly-endpoint/config.json",
    only: "flag",
  },
  modelStore: {
    schema: pathSetting,
    value: "FOLDER",
    help: "TorchServe's model store: its --model-store",
    remedy: "Name the folder that torchserve was started with",
    only: "flag",
  },
  management: {
    schema: managementUrl.default("http://127.0.0.1:8085"),
    value: "URL",
    help: "TorchServe's management API: management_address in its config.properties",
    remedy: "Use an address such as http://127.0.0.1:8085, and no port the face itself listens on",
    only: "flag",
  },
  listen: {
    schema: listenAddress.default({ hostname: "localhost", port: 8081 }),
    value: "HOST:PORT",
    help: "where the face answers in its place; localhost is both 127.0.0.1 and ::1",
    remedy: "Use HOST:PORT such as localhost:8081",
    defaultText: "localhost:8081",
    only: "flag",
  },
  keyFile: {
    schema: pathSetting.optional(),
    value: "FILE",
    help: "TorchServe's key_file.json, where it demands tokens: requests without one are given its management key",
    remedy: "Name the file TorchServe wrote into the folder it was started in",
    defaultText: "none: requests go on with the token they have",
    only: "flag",
  },
} as const satisfies SettingsTable;

const row = TORCHSERVE_SETTINGS;
/** The block of a peer's YAML file. */
export const torchServeBlock = z.strictObject(
  {
    config: row.config.schema,
    modelStore: row.modelStore.schema,
    management: row.management.schema,
    listen: row.listen.schema,
    keyFile: row.keyFile.schema,
  },
  { error: (issue) => (issue.code === "invalid_type" ? "must be a mapping" : undefined) },
);

export type GivenTorchServeSettings = z.output<typeof torchServeBlock>;

/** Paths are absolute. */
export interface TorchServeSettings {
  readonly config: string;
  readonly modelStore: string;
  /** Without a slash at the end. */
  readonly management: string;
  readonly listen: ListenAddress;
  readonly keyFile: string | undefined;
}

export function torchServeSettings(
  given: GivenTorchServeSettings,
  context: PathContext,
  platform: string,
): TorchServeSettings {
  return {
    config: endpointConfigPath(given.config, context, platform),
    modelStore: absolutePath(given.modelStore, context),
    management: given.management,
    listen: given.listen,
    keyFile: given.keyFile === undefined ? undefined : absolutePath(given.keyFile, context),
  };
}

/** What is wrong with them together, and what the machine has against them. */
export async function torchServeFaults(settings: TorchServeSettings): Promise<SettingFault[]> {
  const faults: SettingFault[] = [];
  const { modelStore, management } = settings;
  const found = await stat(modelStore).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    const problem = found === undefined ? "there is no such folder" : "is no folder";
    faults.push({ origin: "--model-store", value: modelStore, problem, remedy: row.modelStore.remedy });
  }
  if (isFaceItself(settings)) {
    const problem = "is the face itself, which would ask itself without end";
    faults.push({ origin: "--management", value: management, problem, remedy: row.management.remedy });
  }
  return faults;
}

function isFaceItself({ management, listen }: TorchServeSettings): boolean {
  const url = new URL(management);
  const hostname = url.hostname.replaceAll(/[[\]]/g, "");
  const isSameHost = hostname === listen.hostname || (isLoopback(hostname) && isLoopback(listen.hostname));
  return isSameHost && Number(url.port || "80") === listen.port;
}
