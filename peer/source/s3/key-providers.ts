/** Ways to AWS credentials that are no keys in a place: the packages of the AWS SDK go them. They are loaded when one
 *  is gone, since few hosts need them and they take 13 MB. What they read of the environment besides what they are given
 *  (endpoints and modes of the metadata service) is that of this process. */
import type { Environment } from "../driver.ts";
import type { KeyProvider, TemporaryKeys } from "./key-cache.ts";
import type { S3Profile } from "./s3-profile.ts";

/** What the packages give. */
interface Identity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** The metadata service is on the machine itself: it answers at once or is not there. */
const METADATA_TIMEOUT_MS = 1_000;
/** For helpers and services that need the network: a person may be watching. */
const ASK_TIMEOUT_MS = 20_000;

/** A profile that assumes a role, signs on, or runs a helper program. */
export function profileProvider(profile: S3Profile, env: Environment): KeyProvider {
  const [configFilepath, filepath] = profile.files;
  return {
    name: `profile ${profile.name} in ${profile.files.join(" and ")}`,
    id: `profile ${profile.name} ${configFilepath} ${filepath}`,
    ask: async () => {
      const { fromIni } = await import("@aws-sdk/credential-provider-ini");
      const clientConfig = stsConfig(env, profile.options.region);
      const provider = fromIni({
        profile: profile.name,
        configFilepath,
        filepath,
        ignoreCache: true,
        clientConfig,
        // Its own way to do this knows no configuration.
        roleAssumerWithWebIdentity: async (asked) => {
          const { fromWebToken } = await import("@aws-sdk/credential-provider-web-identity");
          const { RoleArn, RoleSessionName, WebIdentityToken } = asked;
          const identity = { roleArn: RoleArn, roleSessionName: RoleSessionName, webIdentityToken: WebIdentityToken };
          return await fromWebToken({ ...identity, clientConfig })();
        },
      });
      return await bounded(provider);
    },
  };
}

/** What Kubernetes gives a service account of AWS. */
export function webIdentityProvider(env: Environment, region: string | undefined): KeyProvider | undefined {
  const { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: roleArn, AWS_ROLE_SESSION_NAME: sessionName } = env;
  if (!file || !roleArn) return undefined;
  return {
    name: `the role ${roleArn} by AWS_WEB_IDENTITY_TOKEN_FILE`,
    id: `web-identity ${file} ${roleArn} ${sessionName ?? ""}`,
    ask: async () => {
      const { fromTokenFile } = await import("@aws-sdk/credential-provider-web-identity");
      const provider = fromTokenFile({
        webIdentityTokenFile: file,
        roleArn,
        ...(sessionName ? { roleSessionName: sessionName } : {}),
        clientConfig: stsConfig(env, region),
      });
      return await bounded(provider);
    },
  };
}

/** The agent of ECS, or of pod identities of EKS. */
export function containerProvider(env: Environment): KeyProvider | undefined {
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  const full = env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
  if (!relative && !full) return undefined;
  const tokenFile = env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
  const token = env.AWS_CONTAINER_AUTHORIZATION_TOKEN;
  return {
    name: "the container's credentials (AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI)",
    id: `container ${relative || full}`,
    ask: async () => {
      const { fromHttp } = await import("@aws-sdk/credential-provider-http");
      const provider = fromHttp({
        maxRetries: 0,
        ...(relative
          ? { awsContainerCredentialsRelativeUri: relative }
          : { awsContainerCredentialsFullUri: full ?? "" }),
        ...(tokenFile
          ? { awsContainerAuthorizationTokenFile: tokenFile }
          : { awsContainerAuthorizationToken: token ?? "" }),
      });
      return await bounded(provider);
    },
  };
}

/** The metadata service of EC2, second version. */
export function instanceProvider(env: Environment): KeyProvider | undefined {
  if (env.AWS_EC2_METADATA_DISABLED?.toLowerCase() === "true") return undefined;
  return {
    name: "the metadata service of this machine",
    id: "instance",
    ask: async () => {
      const { fromInstanceMetadata } = await import("@smithy/credential-provider-imds");
      const once = { timeout: METADATA_TIMEOUT_MS, maxRetries: 0, ec2MetadataV1Disabled: true };
      return await bounded(fromInstanceMetadata(once));
    },
  };
}

function stsConfig(env: Environment, ownRegion: string | undefined) {
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION || ownRegion || "us-east-1";
  return { region, ...(env.AWS_ENDPOINT_URL_STS ? { endpoint: env.AWS_ENDPOINT_URL_STS } : {}) };
}

async function bounded(provider: () => Promise<Identity>): Promise<TemporaryKeys> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${ASK_TIMEOUT_MS / 1000} s`)), ASK_TIMEOUT_MS);
  try {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await Promise.race([provider(), late]);
    return {
      accessKeyId,
      secretAccessKey,
      sessionToken,
      ...(expiration === undefined ? {} : { expiresAtMs: expiration.getTime() }),
    };
  } finally {
    clearTimeout(timer);
  }
}
