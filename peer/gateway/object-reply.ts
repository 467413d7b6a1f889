/** The headers of an object's reply, and what may be asked to be other than stored. */
import { type ByteRange, formatContentRange } from "../../schema/byte-range.ts";
import type { ReplyHeaders } from "./gateway-port.ts";
import type { Representation } from "./representation.ts";
import { S3Problem } from "./s3-problem.ts";

/** What a client may ask to be told instead of what is stored. */
const OVERRIDES = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
] as const;

/** `range` is absent for the whole. Checksums are never told: a wrong one, or one of the whole beside a part, breaks the
 *  client's read, and none is always right. */
export function objectHeaders(object: Representation, range: ByteRange | undefined): ReplyHeaders {
  const { sizeBytes, headers } = object;
  const length = range === undefined ? sizeBytes : range.end - range.start;
  return {
    ...headers,
    ...validatorHeaders(object),
    "accept-ranges": "bytes",
    "content-length": String(length),
    ...(range === undefined ? {} : { "content-range": formatContentRange(range, sizeBytes) }),
  };
}

export function validatorHeaders({ etag, lastModifiedMs }: Representation): ReplyHeaders {
  return { etag, "last-modified": new Date(lastModifiedMs).toUTCString() };
}

/** `response-content-type` and the like. @throws S3Problem when the caller is not known, or for what no header can hold */
export function overridesOf(query: URLSearchParams, isSigned: boolean): Record<string, string> {
  const overrides: Record<string, string> = {};
  for (const name of OVERRIDES) {
    const value = query.get(`response-${name}`);
    if (value === null) continue;
    if (!isSigned) {
      const message = "Request specific response headers cannot be used for anonymous GET requests: sign the request";
      throw new S3Problem("InvalidRequest", message);
    }
    if (!/^[\t\x20-\x7e\xa0-\xff]*$/.test(value)) {
      const fields = { ArgumentName: `response-${name}` };
      throw new S3Problem("InvalidArgument", `response-${name} holds characters that no header may hold`, { fields });
    }
    overrides[name] = value;
  }
  return overrides;
}
