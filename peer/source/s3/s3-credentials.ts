/** Which keys, endpoint and region an `s3://` URL is read with. Layers in order: the request, the configuration for
 *  the longest matching prefix, the environment, the profile files, the role of the container or machine. A pair of keys
 *  is always taken from one layer. */
import type { ProblemError } from "../../../schema/problem.ts";
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import { type BucketAddress, bucketDisplayUrl } from "../bucket/bucket-address.ts";
import type { DriverComponents, Environment } from "../driver.ts";
import { sourceProblem } from "../source-problem.ts";
import { ruleFor } from "../store-rule.ts";
import type { KeyCache, KeyProvider } from "./key-cache.ts";
import { containerProvider, instanceProvider, profileProvider, webIdentityProvider } from "./key-providers.ts";
import { fixedKeys, type KeyHolder } from "./s3-keys.ts";
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

/** A place where options can come from, and how messages call it. */
interface Layer {
  readonly name: string;
  readonly options: StoreOptions;
  /** Gives keys that are not among the options. */
  readonly provider?: KeyProvider | undefined;
  /** Whether a provider that gives none is passed over. */
  readonly mayBeAbsent?: boolean;
}

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
  const layers: Layer[] = [{ name: "the request", options: asked }];
  if (asked.profile !== undefined) layers.push(await namedProfile(asked.profile, env, displayUrl));
  if (store !== undefined) {
    layers.push({ name: `the configuration for ${store.prefix}`, options: store });
    if (store.profile !== undefined) layers.push(await namedProfile(store.profile, env, displayUrl));
  }
  layers.push({ name: "the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)", options: environmentOptions(env) });
  layers.push(profileLayer(await loadS3Profile(env.AWS_PROFILE || "default", env), env));
  for (const provider of [webIdentityProvider(env, firstOf(layers, "region")), containerProvider(env)]) {
    if (provider !== undefined) layers.push({ name: provider.name, options: {}, provider });
  }
  const instance = instanceProvider(env);
  if (instance !== undefined) {
    layers.push({ name: instance.name, options: {}, provider: instance, mayBeAbsent: true });
  }

  const endpoint = firstOf(layers, "endpoint");
  return {
    endpoint: endpoint === undefined ? undefined : parseEndpoint(endpoint, displayUrl),
    region: firstOf(layers, "region"),
    pathStyle: firstOf(layers, "pathStyle"),
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

/** An empty text is how environments and files say "not set". */
function firstOf<Key extends keyof StoreOptions>(
  layers: readonly Layer[],
  key: Key,
): Exclude<StoreOptions[Key], undefined> | undefined {
  for (const { options } of layers) {
    const value = options[key];
    if (value !== undefined && value !== "") return value as Exclude<StoreOptions[Key], undefined>;
  }
  return undefined;
}

async function keysFrom(
  layers: readonly Layer[],
  keyCache: KeyCache,
  displayUrl: string,
): Promise<KeyHolder | undefined> {
  const insists = layers[0]?.options.anonymous === false;
  for (const layer of layers) {
    const { name, options } = layer;
    if (options.anonymous === true && !insists) return undefined;
    const { accessKeyId = "", secretAccessKey = "", sessionToken = "" } = options;
    if (accessKeyId !== "" && secretAccessKey !== "") {
      return fixedKeys({ accessKeyId, secretAccessKey, sessionToken: sessionToken === "" ? undefined : sessionToken });
    }
    if (accessKeyId !== "" || secretAccessKey !== "") {
      const [there, missing] = accessKeyId === "" ? ["secret", "access key id"] : ["access key id", "secret"];
      throw sourceProblem("bad-request", displayUrl, `${name} has the ${there} but not the ${missing}`, "Give both");
    }
    const holder = await providedKeys(layer, keyCache, displayUrl);
    if (holder !== undefined) return holder;
  }
  const places = layers.map((layer) => layer.name).join("; ");
  throw sourceProblem("source-forbidden", displayUrl, `there are no credentials in: ${places}`, NO_CREDENTIALS_REMEDY);
}

const NO_CREDENTIALS_REMEDY =
  "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, add the bucket to the configuration of the peer, or read it without credentials if it is public (pantala get --storage-anonymous, or anonymous in that configuration)";

async function providedKeys(
  { provider, mayBeAbsent = false }: Layer,
  keyCache: KeyCache,
  displayUrl: string,
): Promise<KeyHolder | undefined> {
  if (provider === undefined) return undefined;
  const ask = async () => {
    try {
      return await keyCache.get(provider);
    } catch (error) {
      throw providerProblem(provider, error, displayUrl);
    }
  };
  try {
    let latest = await ask();
    return {
      get latest() {
        return latest;
      },
      fresh: async () => {
        latest = await ask();
        return latest;
      },
    };
  } catch (error) {
    if (mayBeAbsent) return undefined;
    throw error;
  }
}

/** The text of an error may hold the command line of a helper program, or a token: only the word that a service has for it
 *  is told. */
function providerProblem(provider: KeyProvider, error: unknown, displayUrl: string): ProblemError {
  const name = error instanceof Error ? error.name : "";
  const why = /^[A-Za-z]{1,60}$/.test(name) && name !== "Error" ? ` (${name})` : "";
  return sourceProblem(
    "source-forbidden",
    displayUrl,
    `${provider.name} gave no credentials${why}`,
    "Check it with the AWS command line: aws sts get-caller-identity",
  );
}

function parseEndpoint(text: string, displayUrl: string): URL | undefined {
  const url = URL.parse(text);
  const usable = url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.search === "";
  if (!usable) {
    throw sourceProblem(
      "bad-request",
      displayUrl,
      "the S3 endpoint is no http:// or https:// URL, or holds user info or a query",
      "Write it as https://host or http://host:port",
    );
  }
  // This host stands for all of AWS: the one for the bucket's region is used.
  return url.hostname === "s3.amazonaws.com" ? undefined : url;
}
