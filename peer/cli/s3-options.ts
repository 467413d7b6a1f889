import type { SettingFault } from "../../schema/settings.ts";
import { type S3Options, s3OptionsSchema } from "../../schema/wire/pull.ts";
import type { GetSettings } from "./get-settings.ts";

/** What the caller gives of an S3 store: flags first, else the variables every S3 tool reads, since those of the peer's
 *  process are somebody else's. Keys are taken from one place together, never mixed. */
export function s3OptionsOf(
  settings: GetSettings,
  env: Readonly<Record<string, string | undefined>>,
): { readonly options: S3Options; readonly faults: readonly SettingFault[] } {
  const faults: SettingFault[] = [];
  const options: S3Options = {};
  const take = (
    key: "endpoint" | "region" | "accessKeyId" | "secretAccessKey" | "sessionToken" | "profile",
    names: string[],
  ) => {
    const name = names.find((candidate) => env[candidate]);
    if (name === undefined) return;
    const parsed = s3OptionsSchema.shape[key].safeParse(env[name]);
    if (parsed.success) options[key] = parsed.data;
    else faults.push({ origin: name, value: "hidden", problem: "is not usable", remedy: "Mend or unset the variable" });
  };

  if (settings.storageEndpoint !== undefined) options.endpoint = settings.storageEndpoint;
  else if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS !== "true") {
    take("endpoint", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
  }
  if (settings.storageRegion !== undefined) options.region = settings.storageRegion;
  else take("region", ["AWS_REGION", "AWS_DEFAULT_REGION"]);

  const { storageAccessKeyId: id, storageAccessKeySecret: secret, storageSessionToken: token } = settings;
  if (id !== undefined && secret !== undefined) {
    Object.assign(options, { accessKeyId: id, secretAccessKey: secret });
    if (token !== undefined) options.sessionToken = token;
  } else if (id !== undefined || secret !== undefined || token !== undefined) {
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
  } else {
    take("profile", ["AWS_PROFILE"]);
  }
  return { options, faults };
}
