/** How an object looks to clients: the same at every peer, since all of it comes from the store. */
import { createHash } from "node:crypto";
import type { SourceStat } from "../source/source.ts";

export interface Representation {
  readonly sizeBytes: number;
  /** With its quotes. */
  readonly etag: string;
  readonly lastModifiedMs: number;
  /** Type, user metadata and the like, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

/** For stores that do not say when an object was modified: clients take neither object nor listing without it. */
export const UNKNOWN_TIME_MS = 0;

/** In whole seconds: what a header can say, and so what a listing says, too. */
export function shownTimeMs(lastModifiedMs: number | undefined): number {
  return Math.floor((lastModifiedMs ?? UNKNOWN_TIME_MS) / 1000) * 1000;
}

/** What S3 says of an object that was stored without a type. */
const DEFAULT_TYPE = "binary/octet-stream";
/** User metadata, as each store calls it. */
const METADATA = /^x-(?:amz|goog|ms|oss|obs|cos)-meta-/;

export function representationOf(stat: SourceStat): Representation {
  const { sizeBytes, version, contentType, lastModifiedMs, representation } = stat;
  const stored = Object.entries(representation ?? {}).map(([name, value]) => [
    name.replace(METADATA, "x-amz-meta-"),
    value,
  ]);
  return {
    sizeBytes,
    etag: etagOf(version),
    lastModifiedMs: shownTimeMs(lastModifiedMs),
    headers: { "content-type": contentType ?? DEFAULT_TYPE, ...Object.fromEntries(stored) },
  };
}

/** The store's own. For a store without any it is made of the version, in the form of an object that was uploaded in
 *  parts: nobody takes that for an MD5 of the content. */
function etagOf(version: string): string {
  if (version.startsWith("etag:")) return version.slice("etag:".length);
  return `"${createHash("sha256").update(version).digest("hex").slice(0, 32)}-1"`;
}
