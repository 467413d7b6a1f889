/** Which keys, endpoint and region an `s3://` URL is read with. Layers in order: the request, the configuration for
 *  the longest matching prefix, the environment, the profile files, the role of the container or machine. A pair of keys
 *  is always taken from one layer. */
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import { type BucketAddress, bucketDisplayUrl } from "../bucket/bucket-address.ts";
import { demandRegion, keysOfLayer } from "../bucket/layer-keys.ts";
import type { DriverComponents, Environment } from "../driver.ts";
import { sourceProblem } from "../source-problem.ts";
import { firstOption, noCredentials, parseEndpoint, refuseOtherOptions, type StoreLayer } from "../store-layers.ts";
import { ruleFor } from "../store-rule.ts";
import type { KeyCache, KeyProvider } from "./key-cache.ts";
import { fixedKeys, type KeyHolder, providedKeys } from "./key-holder.ts";
import { containerProvider, instanceProvider, profileProvider, webIdentityProvider } from "./key-providers.ts";
import { loadS3Profile, type S3Profile } from "./s3-profile.ts";

export interface S3Access {
  /** `undefined`: AWS. */
  readonly endpoint: URL | undefined;
  /** `undefined`: nobody said; the store may. */
  readonly region: string | undefined;
  readonly pathStyle: boolean | undefined;
  /** `undefined`: no signature, as was asked for. */
  readonly keys: KeyHolder | undefined;
}

interface Layer extends StoreLayer {
  /** Gives keys that are not among the options. */
  readonly provider?: KeyProvider | undefined;
  /** Whether a provider that gives none is passed over. */
  readonly mayBeAbsent?: boolean;
}

const KNOWN_OPTIONS = [
  "endpoint",
  "region",
  "accessKeyId",
  "secretAccessKey",
  "sessionToken",
  "pathStyle",
  "anonymous",
  "profile",
] as const;

export interface AccessSources extends Pick<DriverComponents, "rules" | "env"> {
  readonly keyCache: KeyCache;
}

/** @throws ProblemError `source-forbidden` when there are no credentials, `bad-request` for half a pair, a profile that
 *  does not exist, or a broken endpoint. */
export async function findS3Access(
  asked: StoreOptions,
  address: BucketAddress,
  { rules, env, keyCache }: AccessSources,
): Promise<S3Access> {
  const displayUrl = bucketDisplayUrl(address);
  const store = ruleFor(`s3://${address.bucket}/${address.key}`, asked, rules());
  refuseOtherOptions([asked, store], KNOWN_OPTIONS, displayUrl);
  const layers: Layer[] = [{ name: "the request", options: asked }];
  if (asked.profile !== undefined) layers.push(await namedProfile(asked.profile, env, displayUrl));
  if (store !== undefined) {
    layers.push({ name: `the configuration for ${store.prefix}`, options: store });
    if (store.profile !== undefined) layers.push(await namedProfile(store.profile, env, displayUrl));
  }
  layers.push({ name: "the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)", options: environmentOptions(env) });
  layers.push(profileLayer(await loadS3Profile(env.AWS_PROFILE || "default", env), env));
  for (const provider of [webIdentityProvider(env, firstOption(layers, "region")), containerProvider(env)]) {
    if (provider !== undefined) layers.push({ name: provider.name, options: {}, provider });
  }
  const instance = instanceProvider(env);
  if (instance !== undefined) {
    layers.push({ name: instance.name, options: {}, provider: instance, mayBeAbsent: true });
  }

  return {
    endpoint: endpointOf(firstOption(layers, "endpoint"), displayUrl),
    region: demandRegion(firstOption(layers, "region"), displayUrl),
    pathStyle: firstOption(layers, "pathStyle"),
    keys: await keysFrom(layers, keyCache, displayUrl),
  };
}

async function namedProfile(name: string, env: Environment, displayUrl: string): Promise<Layer> {
  const profile = await loadS3Profile(name, env);
  if (profile.found) return profileLayer(profile, env);
  throw sourceProblem(
    "bad-request",
    displayUrl,
    `there is no profile ${name} in ${profile.files.join(" or ")}`,
    "Name one that exists, or set AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE",
  );
}

function profileLayer(profile: S3Profile, env: Environment): Layer {
  const provider = profileProvider(profile, env);
  return { name: provider.name, options: profile.options, ...(profile.asksForKeys ? { provider } : {}) };
}

function environmentOptions(env: Environment): StoreOptions {
  const ignoresEndpoints = env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === "true";
  return {
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
    sessionToken: env.AWS_SESSION_TOKEN,
    region: env.AWS_REGION || env.AWS_DEFAULT_REGION,
    endpoint: ignoresEndpoints ? undefined : env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL,
  };
}

async function keysFrom(
  layers: readonly Layer[],
  keyCache: KeyCache,
  displayUrl: string,
): Promise<KeyHolder | undefined> {
  const insists = layers[0]?.options.anonymous === false;
  for (const layer of layers) {
    const keys = keysOfLayer(layer, displayUrl);
    if (keys === "anonymous" && !insists) return undefined;
    if (keys !== undefined && keys !== "anonymous") return fixedKeys(keys);
    if (layer.provider === undefined) continue;
    try {
      return await providedKeys(layer.provider, keyCache, displayUrl);
    } catch (error) {
      if (layer.mayBeAbsent !== true) throw error;
    }
  }
  throw noCredentials(layers, displayUrl, NO_CREDENTIALS_REMEDY);
}

const NO_CREDENTIALS_REMEDY =
  "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, add the bucket to the configuration of the peer, or read it without credentials if it is public (pantala get --storage-anonymous, or anonymous in that configuration)";

/** One host stands for all of AWS: the one for the bucket's region is used. */
function endpointOf(text: string | undefined, displayUrl: string): URL | undefined {
  if (text === undefined) return undefined;
  const url = parseEndpoint(text, displayUrl);
  return url.hostname === "s3.amazonaws.com" ? undefined : url;
}
