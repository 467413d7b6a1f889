/** A request taken apart, with nothing lost that a signature may be over. */
import type { GatewayRequest } from "./gateway-port.ts";
import { S3Problem } from "./s3-problem.ts";

export interface S3Request {
  readonly method: string;
  /** From the first `/` to the query, as it was sent. */
  readonly rawPath: string;
  /** Without `?`, as it was sent; empty when there is none. */
  readonly rawQuery: string;
  /** Decoded. */
  readonly query: URLSearchParams;
  /** By lower-case name; values of a repeated header are joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bucket that the `Host` header names: see `GatewayAccess.domain`. */
  readonly bucketOfHost: string | undefined;
}

export function parseS3Request(request: GatewayRequest, domain: string | undefined): S3Request {
  // Proxies are sent the absolute form, and every server must understand it.
  const target = request.target.replace(/^https?:\/\/[^/?]*/i, "");
  const at = target.indexOf("?");
  const path = at === -1 ? target : target.slice(0, at);
  const rawQuery = at === -1 ? "" : target.slice(at + 1);
  const headers = headersOf(request.rawHeaders);
  return {
    method: request.method,
    rawPath: path === "" ? "/" : path,
    rawQuery,
    query: new URLSearchParams(rawQuery),
    headers,
    bucketOfHost: bucketOf(headers.get("host") ?? "", domain),
  };
}

/** Where a request points: nothing (the list of buckets), a bucket, or an object in it. */
export interface S3Target {
  readonly bucket: string | undefined;
  readonly key: string | undefined;
}

/** @throws S3Problem `InvalidURI` for what is no percent-encoded UTF-8, and for a key without a bucket before it */
export function targetOf({ rawPath, bucketOfHost }: S3Request): S3Target {
  const path = decoded(rawPath.slice(1));
  if (bucketOfHost !== undefined) return { bucket: bucketOfHost, key: path === "" ? undefined : path };
  const slash = path.indexOf("/");
  const bucket = slash === -1 ? path : path.slice(0, slash);
  const key = slash === -1 ? "" : path.slice(slash + 1);
  if (bucket === "" && key !== "") {
    throw new S3Problem("InvalidURI", "The path begins with two slashes: write one, and the bucket behind it");
  }
  return { bucket: bucket === "" ? undefined : bucket, key: key === "" ? undefined : key };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Problem("InvalidURI", "The path of the request is not percent-encoded UTF-8");
  }
}

function headersOf(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? "").toLowerCase();
    const value = raw[at + 1] ?? "";
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return headers;
}

function bucketOf(host: string, domain: string | undefined): string | undefined {
  const name = host.replace(/:\d*$/, "").toLowerCase();
  if (domain === undefined || !name.endsWith(`.${domain}`)) return undefined;
  return name.slice(0, -domain.length - 1);
}
