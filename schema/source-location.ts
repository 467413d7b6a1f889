/** The canonical name of what a URL points at: what two callers must agree on to share a task. */
import { BUCKET_SCHEMES } from "./bucket-scheme.ts";
import { signatureProfilesOf } from "./signature-profile.ts";

export interface LocationOptions {
  /** Names of query parameters to drop, in place of the signature profiles. `undefined` means: by profile. */
  readonly filteredQueryParams?: readonly string[];
}

/** Scheme, host and path as WHATWG normalises them, without user info and fragment, and the query without the
 *  parameters that only sign it, in their original order and spelling. */
export function canonicalLocation(url: URL, options: LocationOptions = {}): string {
  const pairs = url.search.length > 1 ? url.search.slice(1).split("&") : [];
  const names = pairs.map(nameOfPair);
  const dropped = new Set(
    options.filteredQueryParams?.map((name) => name.toLowerCase()) ??
      signatureProfilesOf(names).flatMap((profile) => profile.parameters),
  );
  const kept = pairs.filter((pair, at) => pair !== "" && !dropped.has((names[at] ?? "").toLowerCase()));
  const query = kept.length === 0 ? "" : `?${kept.join("&")}`;
  return `${url.protocol}//${url.host}${url.pathname}${query}`;
}

/** What people and the scheduler may see of a URL: no user info, and no query, since any value there may be a secret. The
 *  fragment says nothing about the content, but in the URL of a bucket's object it is the rest of the key. */
export function displayUrl(url: URL): string {
  const query = url.search === "" ? "" : "?…";
  const restOfKey = BUCKET_SCHEMES.includes(url.protocol.slice(0, -1)) && query === "" ? url.hash : "";
  return displayText(`${url.protocol}//${url.host}${url.pathname}${query}${restOfKey}`);
}

/** Longest display form; messages of the wire take no more. */
const MAX_DISPLAY_LENGTH = 4096;

/** A name as it may be shown: no control characters, and clipped. */
export function displayText(name: string): string {
  const clean = name.replaceAll(/\p{Cc}/gu, "\u{fffd}");
  return clean.length <= MAX_DISPLAY_LENGTH ? clean : `${clean.slice(0, MAX_DISPLAY_LENGTH - 1)}…`;
}

function nameOfPair(pair: string): string {
  const name = pair.split("=", 1)[0] ?? "";
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
}
