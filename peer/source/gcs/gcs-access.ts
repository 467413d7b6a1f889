/** Where a bucket of Cloud Storage is, and with which credentials it is read. */
import { homedir } from "node:os";
import { join } from "node:path";
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import { type BucketAddress, bucketDisplayUrl } from "../bucket/bucket-address.ts";
import { keysOfLayer } from "../bucket/layer-keys.ts";
import type { DriverComponents } from "../driver.ts";
import {
  firstOption,
  noCredentials,
  parseEndpoint,
  refuseOtherOptions,
  type StoreLayer,
  storeLayers,
} from "../store-layers.ts";
import { ruleFor } from "../store-rule.ts";
import type { TokenCache } from "../token-cache.ts";
import { GCS_ENDPOINT } from "./gcs-address.ts";
import { gcsEnvironment } from "./gcs-environment.ts";
import { metadataToken } from "./metadata-token.ts";
import { googleToken, readGoogleCredential } from "./service-account.ts";

export type GcsCredential =
  | { readonly kind: "anonymous" }
  | { readonly kind: "keys"; readonly accessKeyId: string; readonly secretAccessKey: string }
  | { readonly kind: "token"; readonly token: () => Promise<string> };

export interface GcsAccess {
  readonly endpoint: URL;
  /** Who pays for the requests. */
  readonly userProject: string | undefined;
  readonly credential: GcsCredential;
}

export interface GcsAccessComponents extends DriverComponents {
  readonly tokens: TokenCache;
}

const OPTIONS = [
  "endpoint",
  "accessKeyId",
  "secretAccessKey",
  "accessToken",
  "serviceAccountFile",
  "userProject",
  "anonymous",
] as const;

/** @throws ProblemError `source-forbidden` when there are no credentials, `bad-request` for half a pair of keys, a broken
 *  endpoint, or options of other stores. */
export async function findGcsAccess(
  asked: StoreOptions,
  address: BucketAddress,
  components: GcsAccessComponents,
): Promise<GcsAccess> {
  const displayUrl = bucketDisplayUrl(address);
  const { env, rules } = components;
  const rule = ruleFor(`gs://${address.bucket}/${address.key}`, asked, rules());
  refuseOtherOptions([asked, rule], OPTIONS, displayUrl);
  const environment = gcsEnvironment(env);
  const layers = storeLayers({ asked, rule, environment, defaultEndpoint: GCS_ENDPOINT });
  const endpoint = parseEndpoint(firstOption(layers, "endpoint") ?? GCS_ENDPOINT, displayUrl);
  const access = { endpoint, userProject: firstOption(layers, "userProject") };

  const given = credentialIn(layers, components, displayUrl);
  if (given !== undefined) return { ...access, credential: await proven(given) };
  const isOurs = layers.includes(environment);
  const found = isOurs ? await ownToken(components, displayUrl) : undefined;
  if (found === undefined) {
    const places = isOurs ? [...layers, { name: LAST_PLACES, options: {} }] : layers;
    throw noCredentials(places, displayUrl, REMEDY);
  }
  return { ...access, credential: found };
}

const LAST_PLACES = "the file of gcloud auth application-default login; the metadata service of the machine";
const REMEDY =
  "Name the JSON file of a service account (GOOGLE_APPLICATION_CREDENTIALS, or serviceAccountFile in the configuration of the peer), or read it without credentials if it is public (pantala get --storage-anonymous, or anonymous in that configuration)";

function credentialIn(
  layers: readonly StoreLayer[],
  components: GcsAccessComponents,
  displayUrl: string,
): GcsCredential | undefined {
  const insists = layers[0]?.options.anonymous === false;
  for (const layer of layers) {
    const keys = keysOfLayer(layer, displayUrl);
    if (keys === "anonymous" && !insists) return { kind: "anonymous" };
    if (keys !== undefined && keys !== "anonymous") return { kind: "keys", ...keys };
    const { accessToken, serviceAccountFile } = layer.options;
    if (accessToken) return { kind: "token", token: async () => accessToken };
    if (serviceAccountFile) return fileToken(serviceAccountFile, components, displayUrl);
  }
  return undefined;
}

/** What needs a token gets its first one now: whoever passes the rights on needs it. */
async function proven(credential: GcsCredential): Promise<GcsCredential> {
  if (credential.kind === "token") await credential.token();
  return credential;
}

function fileToken(file: string, { tokens, io }: GcsAccessComponents, displayUrl: string): GcsCredential {
  const fetchToken = async (signal: AbortSignal) =>
    await googleToken(await readGoogleCredential(file, displayUrl), io, displayUrl, signal);
  return { kind: "token", token: () => tokens.get(`file ${file}`, fetchToken) };
}

/** Of the person who uses this machine, or of the machine. */
async function ownToken(components: GcsAccessComponents, displayUrl: string): Promise<GcsCredential | undefined> {
  const { env, tokens, io } = components;
  const folder = env.CLOUDSDK_CONFIG || join(env.HOME || homedir(), ".config", "gcloud");
  const ways: GcsCredential[] = [
    fileToken(join(folder, "application_default_credentials.json"), components, displayUrl),
  ];
  if (env.NO_GCE_CHECK?.toLowerCase() !== "true") {
    const fetchToken = (signal: AbortSignal) => metadataToken(env, io, displayUrl, signal);
    ways.push({ kind: "token", token: () => tokens.get("metadata", fetchToken) });
  }
  for (const way of ways) {
    const works = await proven(way).then(
      () => true,
      () => false,
    );
    if (works) return way;
  }
  return undefined;
}
