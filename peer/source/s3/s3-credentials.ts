/** Which keys, endpoint and region an `s3://` URL is read with. Layers in order: the request, the configuration for
 *  the longest matching prefix, the environment, the profile files. A pair of keys is always taken from one layer. */
import type { ProblemError } from "../../../schema/problem.ts";
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import { type BucketAddress, bucketDisplayUrl } from "../bucket/bucket-address.ts";
import type { DriverComponents, Environment } from "../driver.ts";
import { sourceProblem } from "../source-problem.ts";
import { ruleFor } from "../store-rule.ts";
import { loadS3Profile, type S3Profile } from "./s3-profile.ts";

export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

export interface S3Access {
  /** `undefined`: AWS. */
  readonly endpoint: URL | undefined;
  /** `undefined`: nobody said; the store may. */
  readonly region: string | undefined;
  readonly pathStyle: boolean | undefined;
  /** `undefined`: no signature, as was asked for. */
  readonly keys: S3Keys | undefined;
}

/** A place where options can come from, and how messages call it. */
interface Layer {
  readonly name: string;
  readonly options: StoreOptions;
}

/** @throws ProblemError `source-forbidden` when there are no credentials, `bad-request` for half a pair, a profile that
 *  does not exist, or a broken endpoint. */
export async function findS3Access(
  asked: StoreOptions,
  address: BucketAddress,
  { rules, env }: Pick<DriverComponents, "rules" | "env">,
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
  const profile = await loadS3Profile(env.AWS_PROFILE || "default", env);
  layers.push(profileLayer(profile));

  const endpoint = firstOf(layers, "endpoint");
  return {
    endpoint: endpoint === undefined ? undefined : parseEndpoint(endpoint, displayUrl),
    region: firstOf(layers, "region"),
    pathStyle: firstOf(layers, "pathStyle"),
    keys: keysFrom(layers, profile, displayUrl),
  };
}

async function namedProfile(name: string, env: Environment, displayUrl: string): Promise<Layer> {
  const profile = await loadS3Profile(name, env);
  if (profile.found) return profileLayer(profile);
  throw sourceProblem(
    "bad-request",
    displayUrl,
    `there is no profile ${name} in ${profile.files.join(" or ")}`,
    "Name one that exists, or set AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE",
  );
}

function profileLayer(profile: S3Profile): Layer {
  return { name: `profile ${profile.name} in ${profile.files.join(" and ")}`, options: profile.options };
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

function keysFrom(layers: readonly Layer[], profile: S3Profile, displayUrl: string): S3Keys | undefined {
  const insists = layers[0]?.options.anonymous === false;
  for (const { name, options } of layers) {
    if (options.anonymous === true && !insists) return undefined;
    const { accessKeyId = "", secretAccessKey = "", sessionToken = "" } = options;
    if (accessKeyId !== "" && secretAccessKey !== "") {
      return { accessKeyId, secretAccessKey, sessionToken: sessionToken === "" ? undefined : sessionToken };
    }
    if (accessKeyId !== "" || secretAccessKey !== "") {
      const [there, missing] = accessKeyId === "" ? ["secret", "access key id"] : ["access key id", "secret"];
      throw sourceProblem("bad-request", displayUrl, `${name} has the ${there} but not the ${missing}`, "Give both");
    }
  }
  throw noCredentials(layers, profile, displayUrl);
}

function noCredentials(layers: readonly Layer[], profile: S3Profile, displayUrl: string): ProblemError {
  const places = layers.map((layer) => layer.name).join("; ");
  const remedy =
    profile.unsupported === undefined
      ? "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, add the bucket to the configuration of the peer, or read it without credentials if it is public (pantala get --storage-anonymous, or anonymous in that configuration)"
      : `The profile uses ${profile.unsupported}, which is not read here: run aws configure export-credentials --format env and set what it prints`;
  return sourceProblem("source-forbidden", displayUrl, `there are no credentials in: ${places}`, remedy);
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
