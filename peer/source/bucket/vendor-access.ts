/** Which keys, endpoint and region the URL of a vendor's store is read with. Layers in order: the request, this host's
 *  rule for the longest matching prefix, its environment. */
import { isIP } from "node:net";
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import type { DriverComponents, Environment } from "../driver.ts";
import { sourceProblem } from "../source-problem.ts";
import { firstOption, noCredentials, parseEndpoint, refuseOtherOptions, type StoreLayer } from "../store-layers.ts";
import { ruleFor } from "../store-rule.ts";
import { type BucketAddress, bucketDisplayUrl } from "./bucket-address.ts";
import { type AccessKeys, demandRegion, keysOfLayer } from "./layer-keys.ts";
import type { StoreVariables, VendorStore } from "./vendor-store.ts";

export interface VendorAccess {
  readonly endpoint: URL;
  readonly region: string | undefined;
  readonly pathStyle: boolean;
  /** `undefined`: anonymous. */
  readonly keys: AccessKeys | undefined;
}

const KNOWN_OPTIONS = [
  "endpoint",
  "region",
  "accessKeyId",
  "secretAccessKey",
  "sessionToken",
  "pathStyle",
  "anonymous",
] as const;

/** @throws ProblemError `source-forbidden` without credentials, `bad-request` for options that name no place or half a
 *  pair */
export function findVendorAccess(
  store: VendorStore,
  { env, rules }: DriverComponents,
  address: BucketAddress,
  asked: StoreOptions,
): VendorAccess {
  const displayUrl = bucketDisplayUrl(address);
  const rule = ruleFor(`${address.scheme}://${address.bucket}/${address.key}`, asked, rules());
  refuseOtherOptions([asked, rule], KNOWN_OPTIONS, displayUrl);
  const layers: StoreLayer[] = [
    { name: "the request", options: asked },
    ...(rule === undefined ? [] : [{ name: `the configuration for ${rule.prefix}`, options: rule }]),
    environmentLayer(store.variables, env),
  ];
  const { endpoint, region } = findPlace(store, layers, displayUrl);
  return {
    endpoint,
    region,
    // No bucket is found in front of an address.
    pathStyle: firstOption(layers, "pathStyle") ?? isIP(endpoint.hostname) !== 0,
    keys: keysFrom(layers, store, displayUrl),
  };
}

/** An endpoint of the vendor is in one region: whoever speaks first of the two decides about both. */
function findPlace(
  store: VendorStore,
  layers: readonly StoreLayer[],
  displayUrl: string,
): Pick<VendorAccess, "endpoint" | "region"> {
  const region = demandRegion(firstOption(layers, "region"), displayUrl);
  const ofRegion = region === undefined ? undefined : parseEndpoint(store.endpointIn(region), displayUrl);
  const given = firstOption(layers, "endpoint");
  const endpoint = given === undefined ? ofRegion : parseEndpoint(given, displayUrl);
  if (endpoint === undefined) throw noEndpoint(store, displayUrl);
  const own = store.regionOf(endpoint);
  if (ofRegion === undefined || own === undefined || store.regionOf(ofRegion) === own) {
    return { endpoint, region: region ?? own };
  }
  const first = layers.find(({ options }) => options.region || options.endpoint);
  return first?.options.region ? { endpoint: ofRegion, region } : { endpoint, region: own };
}

/** What the variables of a store's own tools say. */
export function environmentLayer(variables: StoreVariables, env: Environment): StoreLayer {
  const options: StoreOptions = {};
  for (const [option, names] of Object.entries(variables) as [keyof StoreVariables, readonly string[]][]) {
    const value = names.map((name) => env[name]).find((text) => text);
    if (value === undefined) continue;
    // The vendors' tools take an endpoint without a scheme.
    options[option] = option === "endpoint" && !/^https?:\/\//i.test(value) ? `https://${value}` : value;
  }
  const names = [variables.accessKeyId?.[0], variables.secretAccessKey?.[0]].join(", ");
  return { name: `the environment (${names})`, options };
}

function keysFrom(layers: readonly StoreLayer[], store: VendorStore, displayUrl: string): AccessKeys | undefined {
  const insists = layers[0]?.options.anonymous === false;
  for (const layer of layers) {
    const keys = keysOfLayer(layer, displayUrl);
    if (keys === "anonymous" && !insists) return undefined;
    if (keys !== undefined && keys !== "anonymous") return keys;
  }
  const [id = "", secret = ""] = [store.variables.accessKeyId?.[0], store.variables.secretAccessKey?.[0]];
  throw noCredentials(
    layers,
    displayUrl,
    `Set ${id} and ${secret}, add the bucket to the configuration of the peer, or read it without credentials if it is public (pantala get --storage-anonymous, or anonymous in that configuration)`,
  );
}

function noEndpoint(store: VendorStore, displayUrl: string) {
  const variable = store.variables.endpoint?.[0] ?? store.variables.region?.[0];
  return sourceProblem(
    "bad-request",
    displayUrl,
    "neither endpoint nor region of the bucket is known",
    `Give one: ${variable}, pantala get --storage-region or --storage-endpoint, or a rule in the configuration of the peer`,
  );
}

/** Everything that was found, so that a reader elsewhere finds the same and nothing of its own. */
export function portableOptions({ endpoint, region, pathStyle, keys }: VendorAccess): StoreOptions {
  return {
    endpoint: endpoint.href,
    ...(region === undefined ? {} : { region }),
    pathStyle,
    ...(keys === undefined ? { anonymous: true } : { anonymous: false, ...keys }),
  };
}
