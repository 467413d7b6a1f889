/** Parameters that turn a request into one about something else: what a bucket or an object is configured with. Nothing
 *  is here, and S3 has a code for most of that. */
import { type S3Code, S3Problem } from "./s3-problem.ts";

const ABSENT: ReadonlyMap<string, S3Code> = new Map([
  ["cors", "NoSuchCORSConfiguration"],
  ["encryption", "ServerSideEncryptionConfigurationNotFoundError"],
  ["lifecycle", "NoSuchLifecycleConfiguration"],
  ["object-lock", "ObjectLockConfigurationNotFoundError"],
  ["ownershipControls", "OwnershipControlsNotFoundError"],
  ["policy", "NoSuchBucketPolicy"],
  ["publicAccessBlock", "NoSuchPublicAccessBlockConfiguration"],
  ["replication", "ReplicationConfigurationNotFoundError"],
  ["tagging", "NoSuchTagSet"],
  ["website", "NoSuchWebsiteConfiguration"],
]);

const NOT_IMPLEMENTED = new Set([
  "accelerate",
  "acl",
  "analytics",
  "attributes",
  "intelligent-tiering",
  "inventory",
  "legal-hold",
  "logging",
  "metadataTable",
  "metrics",
  "notification",
  "policyStatus",
  "requestPayment",
  "retention",
  "session",
  "torrent",
  "uploadId",
  "uploads",
  "versions",
]);

/** @throws S3Problem for a request about such a thing */
export function refuseSubresources(query: URLSearchParams): void {
  for (const name of query.keys()) {
    const code = ABSENT.get(name);
    if (code !== undefined) throw new S3Problem(code, `The gateway has no ${name} here: it only reads`);
    if (NOT_IMPLEMENTED.has(name)) {
      throw new S3Problem("NotImplemented", `The gateway does not answer ?${name}: it lists buckets and reads objects`);
    }
  }
}
