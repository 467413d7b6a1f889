/** `SCHEME://bucket/key`, the URL of an object in a store with buckets. As in the tools of the vendors everything after
 *  the bucket is the key, taken literally: `%20` is three characters, and `#`, `+` and `?` are themselves. Only
 *  `?versionId=...` at the end is not part of the key. */
import { ProblemError } from "../../../schema/problem.ts";
import { displayText } from "../../../schema/source-location.ts";

export interface BucketAddress {
  /** In lower case, without the colon. */
  readonly scheme: string;
  readonly bucket: string;
  /** Empty for the bucket itself. */
  readonly key: string;
  readonly versionId?: string;
}

const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;
/** Names that can be a label of a host; a dot would break the certificate. */
const HOST_LABEL = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/** @throws ProblemError `bad-request` for what names no object, or one that HTTP clients cannot ask for. */
export function parseObjectUrl(text: string): BucketAddress {
  const { scheme, bucket, key: rest } = parseFolderUrl(text);
  const form = `Write ${scheme}://bucket/key`;
  const version = /\?versionId=([^?&]+)$/i.exec(rest);
  const key = version === null ? rest : rest.slice(0, version.index);
  if (key === "") throw broken(scheme, `names bucket ${bucket} but no object in it`, form);
  // Every HTTP client resolves these before it sends the path, also when they are percent-encoded.
  if (key.split("/").some((part) => part === "." || part === "..")) {
    throw broken(
      scheme,
      "has a key with a . or .. segment, which cannot be asked for over HTTP",
      "Copy the object to another key",
    );
  }
  return { scheme, bucket, key, ...(version === null ? {} : { versionId: decoded(version[1] ?? "") }) };
}

/** `key` is what the keys of the folder begin with: empty for the whole bucket.
 *  @throws ProblemError `bad-request` for what names no bucket. */
export function parseFolderUrl(text: string): BucketAddress {
  const [, given = "", bucket = "", key = ""] = /^([a-z0-9]+):(?:\/\/([^/]*)\/?(.*))?$/is.exec(text) ?? [];
  const scheme = given.toLowerCase();
  if (!BUCKET.test(bucket)) throw broken(scheme, "names no bucket", `Write ${scheme}://bucket/key`);
  if (!key.isWellFormed()) throw broken(scheme, "holds half a character (a lone surrogate)", "Mend the key");
  return { scheme, bucket, key };
}

/** The URL of an object that a listing gave.
 *  @throws ProblemError `bad-request` for a key that no URL can name. */
export function objectUrl(scheme: string, bucket: string, key: string): string {
  const url = `${scheme}://${bucket}/${key}`;
  if (parseObjectUrl(url).versionId === undefined) return url;
  throw broken(scheme, "would take the end of this key for a version", "Copy the object to another key");
}

/** Percent-encodes all but unreserved characters, as signatures demand. */
export function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** As `encodeStrictly`, but for `/`. */
export function encodeKey(key: string): string {
  return encodeStrictly(key).replaceAll("%2F", "/");
}

export function bucketDisplayUrl({ scheme, bucket, key }: BucketAddress): string {
  return displayText(`${scheme}://${bucket}/${key}`);
}

/** Canonical location: store, bucket, key and version, without credentials or style of address. */
export function bucketLocation(storeName: string, address: BucketAddress): string {
  const { scheme, bucket, key, versionId } = address;
  const version = versionId === undefined ? "" : `?versionId=${encodeURIComponent(versionId)}`;
  return `${scheme}://${storeName}/${bucket}/${encodeKey(key)}${version}`;
}

/** Host and path of an endpoint: what tells stores apart that are not a vendor's own. */
export function endpointName(endpoint: URL): string {
  return `${endpoint.host}${prefixOf(endpoint)}`;
}

/** Where the bucket stands in the URL of a request. `host-only`: the store knows no other place. */
export type AddressStyle = "path" | "host" | "host-only";

/** `https://bucket.endpoint/key?query`, or `endpoint/bucket/key?query` in path style. */
export function requestUrl(
  endpoint: URL,
  place: { readonly bucket: string; readonly key: string; readonly query: readonly (readonly [string, string])[] },
  style: AddressStyle,
): URL {
  // Bun's fetch folds two slashes at the beginning of a path into one (1.4.5, 2026-11).
  const folds = place.key.startsWith("/");
  const inHost = HOST_LABEL.test(place.bucket) && (style === "host-only" || (style === "host" && !folds));
  const host = inHost ? `${place.bucket}.${endpoint.host}` : endpoint.host;
  const key = inHost && folds ? `%2F${encodeKey(place.key.slice(1))}` : encodeKey(place.key);
  const path = `${prefixOf(endpoint)}${inHost ? "" : `/${place.bucket}`}/${key}`;
  const query = place.query.map(([name, value]) => `${encodeStrictly(name)}=${encodeStrictly(value)}`).join("&");
  return new URL(`${endpoint.protocol}//${host}${path}${query === "" ? "" : `?${query}`}`);
}

function prefixOf(endpoint: URL): string {
  return endpoint.pathname.replace(/\/+$/, "");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function broken(scheme: string, what: string, remedy: string): ProblemError {
  return new ProblemError("bad-request", `The ${scheme}:// URL ${what}. ${remedy}`);
}
