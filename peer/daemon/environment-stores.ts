/** Which stores this process has credentials for in its environment. */
import type { ConfiguredStore } from "../../schema/wire/local-stores.ts";
import { COS_STORE } from "../source/cos/cos-store.ts";
import type { Environment } from "../source/driver.ts";
import { OBS_STORE } from "../source/obs/obs-store.ts";
import { OSS_STORE } from "../source/oss/oss-store.ts";

/** Variables that give rights, by scheme. */
const VARIABLES: readonly (readonly [scheme: string, variables: readonly string[]])[] = [
  [
    "s3",
    [
      "AWS_ACCESS_KEY_ID",
      "AWS_PROFILE",
      "AWS_WEB_IDENTITY_TOKEN_FILE",
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
      "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ],
  ],
  ...[OSS_STORE, OBS_STORE, COS_STORE].map(({ scheme, variables }) => [scheme, variables.accessKeyId ?? []] as const),
  ["gs", ["GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN", "STORAGE_EMULATOR_HOST"]],
  [
    "as",
    [
      "AZURE_STORAGE_CONNECTION_STRING",
      "AZURE_STORAGE_KEY",
      "AZURE_STORAGE_SAS_TOKEN",
      "AZURE_FEDERATED_TOKEN_FILE",
      "AZURE_CLIENT_SECRET",
      "AZURE_STORAGE_AUTH_TYPE",
    ],
  ],
  ["hf", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"]],
];

/** One for each scheme, with the names of its variables and nothing of their values. */
export function environmentStores(env: Environment): ConfiguredStore[] {
  return VARIABLES.flatMap(([scheme, variables]) => {
    const set = variables.filter((name) => env[name]);
    if (set.length === 0) return [];
    return [
      { prefix: `${scheme}://`, endpoint: null, region: null, credentials: `${set.join(", ")} of the environment` },
    ];
  });
}
