/** HTTP byte ranges (RFC 9110, 14) as values. Inside the code a range is half-open, `[start, end)`; the inclusive
 *  form `bytes=a-b` exists only in this file. */

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** `none`: no Range header, or one to be ignored (other unit, several ranges, broken syntax), so answer 200.
 *  `unsatisfiable`: answer 416 with `Content-Range: bytes * /size`. */
export type RequestedRange =
  | { readonly kind: "none" }
  | { readonly kind: "range"; readonly range: ByteRange }
  | { readonly kind: "unsatisfiable" };

/** Reads a `Range` request header against a representation of `sizeBytes`. */
export function parseRange(header: string | null | undefined, sizeBytes: number): RequestedRange {
  const match = /^bytes=\s*(\d{0,32})\s*-\s*(\d{0,32})\s*$/i.exec(header ?? "");
  if (match === null) return { kind: "none" };
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return { kind: "none" };
  if (first === "") {
    const suffix = Number(last);
    if (suffix === 0 || sizeBytes === 0) return { kind: "unsatisfiable" };
    return { kind: "range", range: { start: Math.max(0, sizeBytes - suffix), end: sizeBytes } };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return { kind: "none" };
  if (start >= sizeBytes) return { kind: "unsatisfiable" };
  return { kind: "range", range: { start, end: last === "" ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) } };
}

/** `bytes=a-b` for a request. An empty range cannot be asked for: it throws a RangeError. */
export function formatRange(range: ByteRange): string {
  if (range.end <= range.start) throw new RangeError(`Cannot ask for an empty range: [${range.start}, ${range.end})`);
  return `bytes=${range.start}-${range.end - 1}`;
}

/** `bytes a-b/size` for a 206 reply. */
export function formatContentRange(range: ByteRange, sizeBytes: number): string {
  return `bytes ${range.start}-${range.end - 1}/${sizeBytes}`;
}

/** Reads `Content-Range`. `range` is absent in the form of a 416 (`bytes * /size`), `sizeBytes` when the sender does
 *  not know it. Anything malformed gives `undefined`. */
export function parseContentRange(
  header: string | null | undefined,
): { readonly range?: ByteRange; readonly sizeBytes?: number } | undefined {
  const match = /^bytes\s+(?:(\d{1,16})-(\d{1,16})|\*)\/(\d{1,16}|\*)$/i.exec((header ?? "").trim());
  if (match === null) return undefined;
  const [, first, last, size] = match;
  const sizeBytes = size === undefined || size === "*" ? undefined : Number(size);
  if (!Number.isSafeInteger(sizeBytes ?? 0)) return undefined;
  if (first === undefined || last === undefined) return sizeBytes === undefined ? undefined : { sizeBytes };
  const range = { start: Number(first), end: Number(last) + 1 };
  if (!Number.isSafeInteger(range.end)) return undefined;
  if (range.end <= range.start || (sizeBytes !== undefined && range.end > sizeBytes)) return undefined;
  return sizeBytes === undefined ? { range } : { range, sizeBytes };
}
