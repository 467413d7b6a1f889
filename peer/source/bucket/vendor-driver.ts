/** A driver for a store of one vendor, whose protocol is like that of S3 but whose signature is its own. */
import { isIP } from "node:net";
import type { SourceRequest } from "../../../schema/wire/pull.ts";
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import type { DriverComponents, Environment, SourceDriver } from "../driver.ts";
import type { OpenSourceOptions } from "../source.ts";
import { sourceProblem } from "../source-problem.ts";
import { firstOption, noCredentials, parseEndpoint, refuseOtherOptions, type StoreLayer } from "../store-layers.ts";
import { ruleFor } from "../store-rule.ts";
import { type BucketAddress, bucketDisplayUrl, parseFolderUrl, parseObjectUrl } from "./bucket-address.ts";
import { type SignRequest, sendSigned, splitHeaders } from "./bucket-client.ts";
import type { ListOperation } from "./bucket-listing.ts";
import { type AccessKeys, demandRegion, keysOfLayer } from "./layer-keys.ts";
import { bucketFolder, bucketSource, type OpenedBucket } from "./opened-bucket.ts";

/** Names of variables for an option, the first that is set counts. */
export type StoreVariables = Readonly<
  Partial<Record<"endpoint" | "region" | "accessKeyId" | "secretAccessKey" | "sessionToken", readonly string[]>>
>;

export interface Signing {
  readonly keys: AccessKeys;
  /** `undefined`: nobody said. */
  readonly region: string | undefined;
  readonly nowMs: () => number;
}

export interface VendorStore {
  readonly scheme: string;
  /** Of headers that have to be signed. */
  readonly headerPrefix: string;
  readonly listOperation: ListOperation;
  /** Whether the vendor's own endpoints take the bucket in the path, too. */
  readonly hasPathStyle: boolean;
  /** Those that the vendor's own tools read. */
  readonly variables: StoreVariables;
  endpointIn(region: string): string;
  /** The region an endpoint of the vendor is in; `undefined` for others. */
  regionOf(endpoint: URL): string | undefined;
  /** The same for all endpoints where the same bucket is found. */
  storeName(endpoint: URL): string;
  sign(signing: Signing): SignRequest;
}

interface VendorAccess {
  readonly endpoint: URL;
  readonly region: string | undefined;
  readonly pathStyle: boolean;
  /** `undefined`: anonymous. */
  readonly keys: AccessKeys | undefined;
}

const KNOWN_OPTIONS = [
  "prefix",
  "endpoint",
  "region",
  "accessKeyId",
  "secretAccessKey",
  "sessionToken",
  "pathStyle",
  "anonymous",
] as const;

export function vendorDriver(store: VendorStore, components: DriverComponents): SourceDriver {
  const open = async (address: BucketAddress, request: SourceRequest, options?: OpenSourceOptions) =>
    openBucket(store, components, address, request, options);
  return {
    schemes: [store.scheme],
    open: async (request, options) => bucketSource(await open(parseObjectUrl(request.url), request, options)),
    openFolder: async (request, options) =>
      bucketFolder(await open(parseFolderUrl(request.url), request, options), store.listOperation),
  };
}

function openBucket(
  store: VendorStore,
  components: DriverComponents,
  address: BucketAddress,
  request: SourceRequest,
  { guard }: OpenSourceOptions = {},
): OpenedBucket {
  const { io } = components;
  const displayUrl = bucketDisplayUrl(address);
  const access = findAccess(store, components, address, request.store ?? {});
  const { endpoint, pathStyle, region, keys } = access;
  const caller = splitHeaders(request.headers, store.headerPrefix, displayUrl);
  const hostStyle = store.hasPathStyle ? "host" : "host-only";
  const addressStyle = pathStyle ? "path" : hostStyle;
  const sign = keys === undefined ? undefined : store.sign({ keys, region, nowMs: io.nowMs });
  return {
    address,
    client: {
      forbiddenRemedy:
        keys === undefined
          ? "The object is not public: give credentials"
          : "Check the access key, its secret, and its right to read this object",
      send: (asked) => sendSigned(asked, { io, guard, endpoint, addressStyle, caller, sign }),
    },
    io,
    storeName: store.storeName(endpoint),
    request,
    portableOptions: () => portableOptions(access),
  };
}

/** Layers in order: the request, this host's rule for the longest matching prefix, its environment. */
function findAccess(
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
  const said = demandRegion(firstOption(layers, "region"), displayUrl);
  const given = firstOption(layers, "endpoint") ?? (said === undefined ? undefined : store.endpointIn(said));
  if (given === undefined) throw noEndpoint(store, displayUrl);
  const endpoint = parseEndpoint(given, displayUrl);
  return {
    endpoint,
    region: said ?? store.regionOf(endpoint),
    // No bucket is found in front of an address.
    pathStyle: firstOption(layers, "pathStyle") ?? isIP(endpoint.hostname) !== 0,
    keys: keysFrom(layers, store, displayUrl),
  };
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
function portableOptions({ endpoint, region, pathStyle, keys }: VendorAccess): StoreOptions {
  return {
    endpoint: endpoint.href,
    ...(region === undefined ? {} : { region }),
    pathStyle,
    ...(keys === undefined ? { anonymous: true } : { anonymous: false, ...keys }),
  };
}
