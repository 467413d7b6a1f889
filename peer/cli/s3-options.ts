import type { SettingFault } from "../../schema/settings.ts";
import { type StoreOptions, storeOptionsSchema } from "../../schema/wire/store-options.ts";
import type { StorageSettings } from "./storage-settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;
type TextOption = "endpoint" | "region" | "accessKeyId" | "secretAccessKey" | "sessionToken" | "profile";

const KEY_SETTINGS = [
  "storageAccessKeyId",
  "storageAccessKeySecret",
  "storageSessionToken",
  "storageAnonymous",
] as const satisfies (keyof StorageSettings)[];

/** What the caller gives of an S3 store: flags first, else the variables every S3 tool reads, since those of the peer's
 *  process are somebody else's. Keys are taken from one place together, never mixed.
 *  @param settings those that are right; one that is absent altogether was wrong */
export function s3OptionsOf(
  settings: Partial<StorageSettings>,
  env: Environment,
): { readonly options: StoreOptions; readonly faults: readonly SettingFault[] } {
  const faults: SettingFault[] = [];
  const options: StoreOptions = {};
  const take = (key: TextOption, names: string[]) => {
    const name = names.find((candidate) => env[candidate]);
    if (name === undefined) return;
    const parsed = storeOptionsSchema.shape[key].safeParse(env[name]);
    if (parsed.success) options[key] = parsed.data;
    else faults.push({ origin: name, value: "hidden", problem: "is not usable", remedy: "Mend or unset the variable" });
  };

  if (settings.storageEndpoint !== undefined) options.endpoint = settings.storageEndpoint;
  else if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS !== "true") {
    take("endpoint", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
  }
  if (settings.storageRegion !== undefined) options.region = settings.storageRegion;
  else take("region", ["AWS_REGION", "AWS_DEFAULT_REGION"]);

  // What a flag that is wrong would have said about the keys nobody knows.
  if (!KEY_SETTINGS.every((key) => key in settings)) return { options, faults };
  const { storageAccessKeyId: id, storageAccessKeySecret: secret, storageSessionToken: token } = settings;
  const givesKeys = id !== undefined || secret !== undefined || token !== undefined;
  if (settings.storageAnonymous) {
    options.anonymous = true;
    // Where the store is, a profile may know as well.
    take("profile", ["AWS_PROFILE"]);
    if (givesKeys) faults.push(KEYS_FOR_NOBODY);
  } else if (id !== undefined && secret !== undefined) {
    Object.assign(options, { accessKeyId: id, secretAccessKey: secret });
    if (token !== undefined) options.sessionToken = token;
  } else if (givesKeys) {
    faults.push({
      origin: id === undefined ? "--storage-access-key-id" : "--storage-access-key-secret",
      value: "not set",
      problem: "is needed with the other storage credentials",
      remedy: "Give the access key and its secret together",
    });
  } else if (env.AWS_ACCESS_KEY_ID && env.AWS_SECRET_ACCESS_KEY) {
    take("accessKeyId", ["AWS_ACCESS_KEY_ID"]);
    take("secretAccessKey", ["AWS_SECRET_ACCESS_KEY"]);
    take("sessionToken", ["AWS_SESSION_TOKEN"]);
  } else if (env.AWS_ACCESS_KEY_ID || env.AWS_SECRET_ACCESS_KEY) {
    faults.push(halfAPair(env));
  } else {
    take("profile", ["AWS_PROFILE"]);
  }
  return { options, faults };
}

export const KEYS_FOR_NOBODY: SettingFault = {
  origin: "--storage-anonymous",
  value: "set",
  problem: "cannot be together with storage credentials",
  remedy: "Leave out the one or the others",
};

function halfAPair(env: Environment): SettingFault {
  const [there, missing] = env.AWS_ACCESS_KEY_ID
    ? ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    : ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"];
  return {
    origin: missing,
    value: "not set",
    problem: `is missing: ${there} is half a pair without it`,
    remedy: `Set both, or unset ${there}`,
  };
}
