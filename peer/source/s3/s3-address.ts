/** `s3://bucket/key`, and where on the web that is. As in the AWS CLI everything after the bucket is the key, taken
 *  literally: `%20` is three characters, and `#`, `+` and `?` are themselves. Only `?versionId=...` at the end is not
 *  part of the key. */
import { ProblemError } from "../../../schema/problem.ts";
import { displayText } from "../../../schema/source-location.ts";

export interface S3Address {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

/** Where a store is: `undefined` for AWS, whose host follows from the region. */
export type S3Endpoint = URL | undefined;

const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;
/** Names that can be a label of a host; a dot would break the certificate. */
const HOST_LABEL = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/** @throws ProblemError `bad-request` for what names no object, or one that HTTP clients cannot ask for. */
export function parseS3Url(text: string): S3Address {
  const match = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(text);
  const [, bucket = "", rest = ""] = match ?? [];
  if (!BUCKET.test(bucket)) throw broken("names no bucket", "Write s3://bucket/key");
  const version = /\?versionId=([^?&]+)$/i.exec(rest);
  const key = version === null ? rest : rest.slice(0, version.index);
  if (key === "") throw broken(`names bucket ${bucket} but no object in it`, "Write s3://bucket/key");
  if (!key.isWellFormed()) throw broken("holds half a character (a lone surrogate)", "Mend the key");
  // Every HTTP client resolves these before it sends the path, also when they are percent-encoded.
  if (key.split("/").some((part) => part === "." || part === "..")) {
    throw broken(
      "has a key with a . or .. segment, which cannot be asked for over HTTP",
      "Copy the object to another key",
    );
  }
  return { bucket, key, versionId: version === null ? undefined : decoded(version[1] ?? "") };
}

/** Percent-encodes all but unreserved characters and `/`, as signatures of S3 demand. */
export function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Canonical location: store, bucket, key and version, without credentials, scheme or style of address. */
export function s3Location(address: S3Address, endpoint: S3Endpoint, region: string): string {
  return `s3://${storeName(endpoint, region)}/${address.bucket}/${encodeKey(address.key)}${versionQuery(address)}`;
}

export function s3DisplayUrl({ bucket, key }: S3Address): string {
  return displayText(`s3://${bucket}/${key}`);
}

/** `https://bucket.s3.region.amazonaws.com/key`, or `endpoint/bucket/key` in path style. */
export function s3ObjectUrl(address: S3Address, endpoint: S3Endpoint, region: string, pathStyle: boolean): URL {
  const base = endpoint ?? new URL(`https://s3.${region}.${awsDomain(region)}`);
  const inHost = !pathStyle && HOST_LABEL.test(address.bucket);
  const host = inHost ? `${address.bucket}.${base.host}` : base.host;
  const path = `${prefixOf(base)}${inHost ? "" : `/${address.bucket}`}/${encodeKey(address.key)}`;
  return new URL(`${base.protocol}//${host}${path}${versionQuery(address)}`);
}

function storeName(endpoint: S3Endpoint, region: string): string {
  if (endpoint === undefined) return awsDomain(region);
  // One bucket of AWS is the same at each of its hosts.
  const aws = /(?:^|\.)(amazonaws\.com(?:\.cn)?)$/.exec(endpoint.hostname);
  return aws?.[1] ?? `${endpoint.host}${prefixOf(endpoint)}`;
}

function awsDomain(region: string): string {
  return region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

function prefixOf(endpoint: URL): string {
  return endpoint.pathname.replace(/\/+$/, "");
}

function versionQuery({ versionId }: S3Address): string {
  return versionId === undefined ? "" : `?versionId=${encodeURIComponent(versionId)}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function broken(what: string, remedy: string): ProblemError {
  return new ProblemError("bad-request", `The s3:// URL ${what}. ${remedy}`);
}
