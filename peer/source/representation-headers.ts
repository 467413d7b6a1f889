/** What a store says of an object besides its bytes, and what faces pass on to their clients. */

const NAMED = new Set([
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
  "x-amz-version-id",
]);
/** User metadata, as each store calls it. */
const METADATA = /^x-(?:amz|goog|ms|oss|obs|cos)-meta-/;
/** Of names and values together; S3 itself takes 2 KiB of metadata. */
const MAX_LENGTH = 16_384;

/** By lower-case name. What is too much is left out. */
export function representationHeadersOf(headers: Headers): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  let length = 0;
  for (const [name, value] of headers) {
    if (!NAMED.has(name) && !METADATA.test(name)) continue;
    length += name.length + value.length;
    if (length <= MAX_LENGTH) kept[name] = value;
  }
  return kept;
}
