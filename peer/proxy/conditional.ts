/** Conditional requests and ranges against what a source said, in the order of RFC 9110, 13.2.2. */
import { parseRange, type RequestedRange } from "../../schema/byte-range.ts";
import type { SourceStat } from "../source/source.ts";
import { type HeaderList, headerValue } from "./header-list.ts";

export type Condition = "met" | "not-modified" | "failed";

export function conditionOf(headers: HeaderList, stat: SourceStat): Condition {
  const value = (name: string) => headerValue(headers, name);
  const etag = etagOf(stat);
  const modifiedMs = secondsOf(stat.lastModifiedMs);
  const ifMatch = value("if-match");
  const unmodifiedSinceMs = dateOf(value("if-unmodified-since"));
  if (ifMatch !== undefined) {
    if (!lists(ifMatch, etag, "strong")) return "failed";
  } else if (unmodifiedSinceMs !== undefined && modifiedMs !== undefined && modifiedMs > unmodifiedSinceMs) {
    return "failed";
  }
  const ifNoneMatch = value("if-none-match");
  if (ifNoneMatch !== undefined) return lists(ifNoneMatch, etag, "weak") ? "not-modified" : "met";
  const modifiedSinceMs = dateOf(value("if-modified-since"));
  const unchanged = modifiedSinceMs !== undefined && modifiedMs !== undefined && modifiedMs <= modifiedSinceMs;
  return unchanged ? "not-modified" : "met";
}

/** `Range`, unless `If-Range` says that it was meant for another version. Several ranges at once are answered by the whole. */
export function rangeOf(headers: HeaderList, stat: SourceStat): RequestedRange {
  const ifRange = headerValue(headers, "if-range")?.trim();
  const isMeant =
    ifRange === undefined ||
    (/^(?:W\/)?"/.test(ifRange)
      ? !ifRange.startsWith("W/") && ifRange === etagOf(stat)
      : dateOf(ifRange) !== undefined && dateOf(ifRange) === secondsOf(stat.lastModifiedMs));
  return isMeant ? parseRange(headerValue(headers, "range"), stat.sizeBytes) : { kind: "none" };
}

function etagOf({ version }: SourceStat): string | undefined {
  return version.startsWith("etag:") ? version.slice("etag:".length) : undefined;
}

function lists(header: string, etag: string | undefined, comparison: "strong" | "weak"): boolean {
  if (header.trim() === "*") return true;
  if (etag === undefined || (comparison === "strong" && etag.startsWith("W/"))) return false;
  const opaque = (tag: string) => (comparison === "weak" ? tag.replace(/^W\//, "") : tag);
  // A comma may be part of a tag.
  const tags = header.match(/(?:W\/)?"[^"]*"/g) ?? [header.trim()];
  return tags.some((tag) => opaque(tag) === opaque(etag));
}

/** As a header can say it. */
function secondsOf(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.floor(ms / 1000) * 1000;
}

function dateOf(text: string | undefined): number | undefined {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}
