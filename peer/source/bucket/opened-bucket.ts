/** A bucket that was opened, and what is read through it: one object, or a folder. The same for all stores like S3. */
import { formatRange } from "../../../schema/byte-range.ts";
import type { SourceRequest } from "../../../schema/wire/pull.ts";
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import type { Folder } from "../folder.ts";
import { readRange } from "../read-range.ts";
import type { Source } from "../source.ts";
import type { SourceIo } from "../source-io.ts";
import type { SourceTransport } from "../source-transport.ts";
import { statSource } from "../stat-source.ts";
import { type BucketAddress, bucketDisplayUrl, bucketLocation, objectUrl } from "./bucket-address.ts";
import type { BucketClient } from "./bucket-client.ts";
import { BucketListing, type ListOperation } from "./bucket-listing.ts";

export interface OpenedBucket {
  readonly address: BucketAddress;
  readonly client: BucketClient;
  readonly io: SourceIo;
  /** Tells stores apart in the location of an object. */
  readonly storeName: string;
  readonly request: SourceRequest;
  /** Everything that was found, so that a reader elsewhere finds the same and nothing of its own. */
  readonly portableOptions: () => StoreOptions;
}

export function bucketSource({ address, client, io, storeName, request, portableOptions }: OpenedBucket): Source {
  const { bucket, key, versionId } = address;
  const query = versionId === undefined ? [] : [["versionId", versionId] as const];
  const transport: SourceTransport = {
    displayUrl: bucketDisplayUrl(address),
    headAllowed: true,
    encodingIsLabel: true,
    forbiddenRemedy: client.forbiddenRemedy,
    send: ({ method, range, signal }) =>
      client.send({
        method,
        bucket,
        key,
        query,
        signal,
        ...(range === undefined ? {} : { headers: { range: formatRange(range) } }),
      }),
  };
  return {
    location: bucketLocation(storeName, address),
    displayUrl: transport.displayUrl,
    get portableRequest() {
      return { ...request, store: portableOptions() };
    },
    stat: (signal) => statSource(transport, io, signal),
    read: (range, options) => readRange(transport, io, range, options),
  };
}

export function bucketFolder({ address, client, io, request }: OpenedBucket, operation: ListOperation): Folder {
  const { scheme, bucket, key: prefix } = address;
  const displayUrl = bucketDisplayUrl(address);
  const listing = new BucketListing({ client, io, bucket, prefix, displayUrl, operation });
  return {
    bucket,
    prefix,
    displayUrl,
    list: (query, signal) => listing.list(query, signal),
    objectRequest: (key) => ({ ...request, url: objectUrl(scheme, bucket, key) }),
  };
}
