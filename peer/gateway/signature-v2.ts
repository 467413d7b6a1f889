/** Signature Version 2 from the side that verifies: base64 HMAC-SHA1 over a handful of lines. */
import { createHmac } from "node:crypto";
import type { S3Request } from "./s3-request.ts";
import type { V2Claim } from "./signature-claim.ts";

/** Parameters that are part of what is asked for, and so of what is signed. */
const SIGNED_PARAMETERS = new Set([
  "acl",
  "cors",
  "delete",
  "lifecycle",
  "location",
  "logging",
  "notification",
  "partNumber",
  "policy",
  "requestPayment",
  "response-cache-control",
  "response-content-disposition",
  "response-content-encoding",
  "response-content-language",
  "response-content-type",
  "response-expires",
  "restore",
  "tagging",
  "torrent",
  "uploadId",
  "uploads",
  "versionId",
  "versioning",
  "versions",
  "website",
]);

/** The signature a client makes of this request with this secret, in base64. */
export function v2Signature(request: S3Request, { expires }: V2Claim, secretAccessKey: string): string {
  const { method, headers } = request;
  const date = expires ?? (headers.has("x-amz-date") ? "" : (headers.get("date") ?? ""));
  const text = [
    method,
    headers.get("content-md5") ?? "",
    headers.get("content-type") ?? "",
    date,
    ...amzHeaders(headers),
    resourceOf(request),
  ].join("\n");
  return createHmac("sha1", secretAccessKey).update(text).digest("base64");
}

function amzHeaders(headers: ReadonlyMap<string, string>): string[] {
  return [...headers]
    .filter(([name]) => name.startsWith("x-amz-"))
    .toSorted(byName)
    .map(([name, value]) => `${name}:${value.trim()}`);
}

/** The path as it was sent, behind the bucket when that is in the host, and the parameters that count, decoded. */
function resourceOf({ rawPath, query, bucketOfHost }: S3Request): string {
  const parameters = [...query]
    .filter(([name]) => SIGNED_PARAMETERS.has(name))
    .toSorted(byName)
    .map(([name, value]) => (value === "" ? name : `${name}=${value}`));
  const path = `${bucketOfHost === undefined ? "" : `/${bucketOfHost}`}${rawPath}`;
  return parameters.length === 0 ? path : `${path}?${parameters.join("&")}`;
}

function byName([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
