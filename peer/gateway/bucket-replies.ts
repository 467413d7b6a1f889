/** What is said of buckets themselves. */
import type { GatewayBucket } from "./gateway-access.ts";
import { OWNER } from "./list-reply.ts";
import { UNKNOWN_TIME_MS } from "./representation.ts";
import { s3Xml } from "./s3-xml.ts";

/** Where all buckets are said to be: what clients take by default. Signatures for any region are taken. */
export const REGION = "us-east-1";

export function bucketsReply(buckets: readonly GatewayBucket[]): string {
  const CreationDate = new Date(UNKNOWN_TIME_MS).toISOString();
  return s3Xml("ListAllMyBucketsResult", {
    Owner: OWNER,
    Buckets: { Bucket: buckets.map(({ name }) => ({ Name: name, CreationDate })) },
  });
}

/** Empty: that is how S3 calls `us-east-1`. */
export function locationReply(): string {
  return s3Xml("LocationConstraint", {});
}

/** Empty: never switched on. */
export function versioningReply(): string {
  return s3Xml("VersioningConfiguration", {});
}
