/** A driver for a store of one vendor, whose protocol is like that of S3 but whose signature is its own. */
import type { SourceRequest } from "../../../schema/wire/pull.ts";
import type { DriverComponents, SourceDriver } from "../driver.ts";
import type { OpenSourceOptions } from "../source.ts";
import { type BucketAddress, bucketDisplayUrl, parseFolderUrl, parseObjectUrl } from "./bucket-address.ts";
import { sendSigned, splitHeaders } from "./bucket-client.ts";
import { bucketFolder, bucketSource, type OpenedBucket } from "./opened-bucket.ts";
import { findVendorAccess, portableOptions } from "./vendor-access.ts";
import type { VendorStore } from "./vendor-store.ts";

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
  const access = findVendorAccess(store, components, address, request.store ?? {});
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
