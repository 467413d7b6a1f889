/** Flags of `pantala triton localize`. */
import { z } from "zod";
import { duration, onOff, type SettingsOf, type SettingsTable } from "../../schema/settings.ts";
import { pathSetting } from "../../schema/shared-settings.ts";
import { JSON_SETTING } from "../cli/list-settings.ts";
import { STORAGE_SETTINGS } from "../cli/storage-settings.ts";

const tritonUrl = z
  .url({ protocol: /^http$/, error: "must be an http:// URL" })
  .max(1024)
  .refine((url) => /^http:\/\/[^@?#/]+\/?$/i.test(url), "must be an address alone, such as http://127.0.0.1:8000")
  .transform((url) => url.replace(/\/+$/, ""));

const interval = duration.refine((ms) => ms >= 1000, "must be at least 1s");

export const TRITON_SETTINGS = {
  repository: {
    schema: pathSetting,
    value: "FOLDER",
    help: "Triton's model repository: its --model-repository",
    remedy: "Name an existing folder",
    only: "flag",
  },
  load: {
    schema: tritonUrl.optional(),
    value: "URL",
    help: "Triton's HTTP address: it loads the model once it is there",
    remedy: "Use an address such as http://127.0.0.1:8000",
    only: "flag",
  },
  watch: {
    schema: onOff.default(false),
    help: "go on looking, and bring every change",
    remedy: "Give the flag without a value",
    only: "flag",
  },
  interval: {
    schema: interval.default(30_000),
    value: "TIME",
    help: "how often --watch looks at the store",
    remedy: "Use a duration such as 30s or 5m",
    defaultText: "30s",
    only: "flag",
  },
  stripAgents: {
    schema: onOff.default(false),
    help: "leave the repository agent dragonfly out of config.pbtxt, which no Triton loads without its library",
    remedy: "Give the flag without a value",
    only: "flag",
  },
  dragonflyConfig: {
    schema: pathSetting.optional(),
    value: "FILE",
    help: "dragonfly_config.json of Dragonfly's repository agent",
    remedy: "Name a readable JSON file",
    defaultText: "TRITON_DRAGONFLY_CONFIG_PATH, else /home/triton/dragonfly_config.json where it exists",
    only: "flag",
  },
  cloudCredential: {
    schema: pathSetting.optional(),
    value: "FILE",
    help: "Triton's cloud_credential.json: keys by the beginning of a URL",
    remedy: "Name a readable JSON file",
    defaultText: "TRITON_CLOUD_CREDENTIAL_PATH, else /home/triton/cloud_credential.json where it exists",
    only: "flag",
  },
  ...STORAGE_SETTINGS,
  json: JSON_SETTING,
} as const satisfies SettingsTable;

export type TritonSettings = SettingsOf<typeof TRITON_SETTINGS>;
