/** The AWS profile files, `~/.aws/config` and `~/.aws/credentials`. */
import { homedir } from "node:os";
import { join } from "node:path";
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import type { Environment } from "../driver.ts";

export interface S3Profile {
  readonly name: string;
  /** Where it was looked for. */
  readonly files: readonly [config: string, credentials: string];
  readonly found: boolean;
  /** Without keys in a profile that assumes a role with them. */
  readonly options: StoreOptions;
  /** Whether its keys have to be asked for: it assumes a role, signs on, or names a helper program. */
  readonly asksForKeys: boolean;
}

const ASKING_SETTINGS = ["sso_session", "sso_start_url", "credential_process", "login_session"];

/** Files that are absent are as good as empty. */
export async function loadS3Profile(name: string, env: Environment): Promise<S3Profile> {
  // Only hosts that read such a store need the parser.
  const { loadSharedConfigFiles } = await import("@smithy/shared-ini-file-loader");
  const home = env.HOME || homedir();
  const configFilepath = env.AWS_CONFIG_FILE || join(home, ".aws", "config");
  const filepath = env.AWS_SHARED_CREDENTIALS_FILE || join(home, ".aws", "credentials");
  const { configFile, credentialsFile } = await loadSharedConfigFiles({ configFilepath, filepath, ignoreCache: true });
  const section = { ...configFile[name], ...credentialsFile[name] };
  const services = configFile[`services.${section.services}`];
  const ignoresEndpoints =
    env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === "true" || section.ignore_configured_endpoint_urls === "true";
  const assumesRole = section.role_arn !== undefined;
  const hasKeys = section.aws_access_key_id !== undefined && !assumesRole;
  return {
    name,
    files: [configFilepath, filepath],
    found: Object.hasOwn(configFile, name) || Object.hasOwn(credentialsFile, name),
    options: {
      ...(assumesRole
        ? {}
        : {
            accessKeyId: section.aws_access_key_id,
            secretAccessKey: section.aws_secret_access_key,
            sessionToken: section.aws_session_token,
          }),
      region: section.region,
      endpoint: ignoresEndpoints ? undefined : (services?.["s3.endpoint_url"] ?? section.endpoint_url),
    },
    asksForKeys: assumesRole || (!hasKeys && ASKING_SETTINGS.some((setting) => section[setting] !== undefined)),
  };
}
