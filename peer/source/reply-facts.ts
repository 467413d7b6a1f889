/** What the headers of a reply say about the content. */

/** Longer ETags do not fit a task's version; none is known in the wild. */
const MAX_ETAG_LENGTH = 480;

/** `etag:...` as it was sent, else `modified:<ISO date>+<size>`, else `size:<size>`. */
export function versionOf(headers: Headers, sizeBytes: number): string {
  const etag = etagOf(headers);
  if (etag !== undefined) return `etag:${etag}`;
  const modifiedMs = lastModifiedMsOf(headers);
  if (modifiedMs !== undefined) return `modified:${new Date(modifiedMs).toISOString()}+${sizeBytes}`;
  return `size:${sizeBytes}`;
}

/** Whether a version says nothing of the content but how long it is. */
export function pinsOnlySize({ version }: { readonly version: string }): boolean {
  return version.startsWith("size:");
}

function etagOf(headers: Headers): string | undefined {
  const etag = headers.get("etag")?.trim() ?? "";
  const usable = etag.length <= MAX_ETAG_LENGTH && !/^(W\/)?"?"?$/.test(etag) && !/\p{Cc}/u.test(etag);
  return usable ? etag : undefined;
}

export function lastModifiedMsOf(headers: Headers): number | undefined {
  const ms = Date.parse(headers.get("last-modified") ?? "");
  return Number.isNaN(ms) || ms < 0 ? undefined : ms;
}

export function contentLengthOf(headers: Headers): number | undefined {
  const text = headers.get("content-length")?.trim() ?? "";
  const length = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(length) ? length : undefined;
}

/** The encoding, when there is one that changes the bytes. */
export function contentEncodingOf(headers: Headers): string | undefined {
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  return encoding === "" || encoding === "identity" ? undefined : encoding;
}

export function acceptsRanges(headers: Headers): boolean {
  return /(^|[\s,])bytes($|[\s,])/i.test(headers.get("accept-ranges") ?? "");
}
