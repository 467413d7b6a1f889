/** What may be shared with others, and what must go straight through. Everything here says why not; only where nobody
 *  says anything is a request answered by a task. */
import { signatureProfilesOf } from "../../schema/signature-profile.ts";
import type { SourceStat } from "../source/source.ts";
import { type HeaderList, headerValue, listsWord, wordsOf } from "./header-list.ts";

export interface AskedRequest {
  readonly method: string;
  readonly headers: HeaderList;
  readonly url: URL;
  /** Path and query as they were sent. */
  readonly rawPath: string;
}

/** How far whoever rules has said that it may be shared. */
export interface SharingPolicy {
  /** Requests with credentials may be answered by a task, although the source does not say that it is for all. */
  readonly authorized: boolean;
  /** Content without a strong validator, too. */
  readonly unvalidated: boolean;
}

/** Headers our own requests go with in place of the client's: a signature over them would be broken. */
const OURS = /^(?:range|if-.*|accept-encoding|te|connection)$/;
/** Headers that say who asks: the standard one, and those that stores and forges have of their own. */
const CREDENTIAL =
  /^authorization$|(?:^|[-_])(?:auth|token|api-?key|art-api|secret|session|credentials?|signature)(?:[-_]|$)/i;
/** Reply headers may differ by these, bytes do not: we always ask for the identity encoding, and the rest is CORS. */
const HONOURED_VARY = new Set([
  "accept-encoding",
  "origin",
  "access-control-request-method",
  "access-control-request-headers",
]);

/** Why a request must go straight through, in words for the log; `undefined` when it may be answered by a task. */
export function requestObstacle({ method, headers, url, rawPath }: AskedRequest): string | undefined {
  const value = (name: string) => headerValue(headers, name);
  if (method !== "GET" && method !== "HEAD") return "its method is neither GET nor HEAD";
  if (value("transfer-encoding") !== undefined || (value("content-length") ?? "0").trim() !== "0")
    return "it has a body";
  if (value("cookie") !== undefined) return "it bears cookies";
  if (listsWord(value("cache-control"), "no-store")) return "it asks for no-store";
  if (value("upgrade") !== undefined) return "it asks for another protocol";
  if (value("expect") !== undefined) return "it expects an answer before the answer";
  if (!/^(?:(?:basic|bearer)\s|$)/i.test(value("authorization") ?? "")) return "its headers are signed";
  if (rawPath !== `${url.pathname}${url.search}`) return "its path has an odd spelling";
  const profiles = signatureProfilesOf(url.searchParams.keys());
  if (method === "HEAD" && profiles.some((profile) => profile.coversMethod)) return "its URL is signed for HEAD";
  if (signedHeadersOf(url).some((name) => OURS.test(name))) return "headers of ours are signed in its URL";
  return undefined;
}

/** Why the content behind a reply must not be shared; `undefined` when it may be.
 *  @param byDigest whether the content is named by its digest, which no validator could do better */
export function replyObstacle(
  stat: SourceStat,
  requestHeaders: HeaderList,
  policy: SharingPolicy,
  byDigest = false,
): string | undefined {
  const { reply, version } = stat;
  if (reply === undefined) return "its headers are not known";
  const control = directivesOf(reply.get("cache-control"));
  if (control.has("private")) return "it is private";
  if (control.has("no-store")) return "it must not be stored";
  if (reply.has("set-cookie")) return "it sets cookies";
  const vary = wordsOf(reply.get("vary") ?? undefined).find((name) => !HONOURED_VARY.has(name));
  if (vary !== undefined && !byDigest) return `it varies by ${vary.slice(0, 100)}`;
  if (byDigest) return undefined;
  if (!policy.unvalidated && !/^(?:etag:"|modified:)/.test(version)) return "it has no strong validator";
  // RFC 9111, 3.5
  const forAll = ["public", "s-maxage", "must-revalidate"].some((directive) => control.has(directive));
  if (bearsCredentials(requestHeaders) && !policy.authorized && !forAll)
    return "it was asked for with credentials, and is not public";
  return undefined;
}

/** Whether headers say who asks. */
export function bearsCredentials(headers: HeaderList): boolean {
  return headers.some(([name]) => CREDENTIAL.test(name));
}

function signedHeadersOf(url: URL): string[] {
  const names = ["x-amz-signedheaders", "x-goog-signedheaders", "q-header-list", "x-oss-additional-headers"];
  return [...url.searchParams]
    .filter(([name]) => names.includes(name.toLowerCase()))
    .flatMap(([, value]) => value.toLowerCase().split(/[;,]/));
}

/** Names of the directives; what stands behind `=` says for how long, or for which fields, and counts for all of it. */
function directivesOf(cacheControl: string | null): Set<string> {
  return new Set(wordsOf(cacheControl ?? undefined).map((word) => word.replace(/\s*=.*$/, "")));
}
