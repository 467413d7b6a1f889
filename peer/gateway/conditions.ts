/** Conditional requests, in the order of RFC 9110, 13.2.2, which is S3's as well. */
import { parseRange, type RequestedRange } from "../../schema/byte-range.ts";
import type { Representation } from "./representation.ts";
import { S3Problem } from "./s3-problem.ts";

type RequestHeaders = ReadonlyMap<string, string>;
type Validators = Pick<Representation, "etag" | "lastModifiedMs">;

/** Whether to answer 304. @throws S3Problem `PreconditionFailed` */
export function isNotModified(headers: RequestHeaders, validators: Validators): boolean {
  const ifMatch = headers.get("if-match");
  const unmodifiedSinceMs = dateOf(headers.get("if-unmodified-since"));
  if (ifMatch !== undefined) {
    if (!lists(ifMatch, validators.etag)) throw failed("If-Match");
  } else if (unmodifiedSinceMs !== undefined && validators.lastModifiedMs > unmodifiedSinceMs) {
    throw failed("If-Unmodified-Since");
  }
  const ifNoneMatch = headers.get("if-none-match");
  if (ifNoneMatch !== undefined) return lists(ifNoneMatch, validators.etag);
  const modifiedSinceMs = dateOf(headers.get("if-modified-since"));
  return modifiedSinceMs !== undefined && validators.lastModifiedMs <= modifiedSinceMs;
}

/** `Range`, unless `If-Range` says that it was meant for another version. Several ranges at once are ignored, as in S3. */
export function rangeAsked(headers: RequestHeaders, of: Validators & { readonly sizeBytes: number }): RequestedRange {
  const ifRange = headers.get("if-range")?.trim();
  const meantForThis =
    ifRange === undefined || ifRange === of.etag || dateOf(ifRange.replace(/^(?:W\/)?".*$/, "")) === of.lastModifiedMs;
  return meantForThis ? parseRange(headers.get("range"), of.sizeBytes) : { kind: "none" };
}

/** Some clients leave the quotes out. */
function lists(header: string, etag: string): boolean {
  const bare = (tag: string) => tag.trim().replace(/^W\//, "").replaceAll('"', "");
  return header.trim() === "*" || header.split(",").some((tag) => bare(tag) === bare(etag));
}

function dateOf(text: string | undefined): number | undefined {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}

function failed(condition: string): S3Problem {
  return new S3Problem("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
    fields: { Condition: condition },
  });
}
