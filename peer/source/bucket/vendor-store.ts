/** What is a vendor's own in a store whose protocol is like that of S3. */
import type { SignRequest } from "./bucket-client.ts";
import type { ListOperation } from "./bucket-listing.ts";
import type { AccessKeys } from "./layer-keys.ts";

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
