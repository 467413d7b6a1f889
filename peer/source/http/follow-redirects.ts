/** Follows redirects one by one, so that what a caller gave for one server never reaches another. */
import { displayUrl } from "../../../schema/source-location.ts";
import { readBounded } from "../read-bounded.ts";
import type { SourceGuard } from "../source.ts";
import { type Fetch, requestInit } from "../source-io.ts";
import { sourceProblem } from "../source-problem.ts";

const MAX_REDIRECTS = 10;
const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);

export interface RedirectedRequest {
  readonly url: URL;
  readonly method: "GET" | "HEAD";
  /** The caller's: credentials, cookies and all; sent to the first origin only. */
  readonly callerHeaders: Headers;
  /** Ours: sent with every request. */
  readonly ownHeaders: Headers;
  readonly signal: AbortSignal;
  readonly guard?: SourceGuard | undefined;
}

/** @throws ProblemError `source-refused` for a chain that is too long, leads nowhere, or leaves https for http. */
export async function fetchFollowing(fetch: Fetch, request: RedirectedRequest): Promise<Response> {
  let { url } = request;
  // Once another origin was involved, a way back to the first one is that origin's choice, not the caller's.
  let trusted = true;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const addresses = await request.guard?.(url);
    const headers = new Headers(trusted ? request.callerHeaders : undefined);
    for (const [name, value] of request.ownHeaders) headers.set(name, value);
    const response = await fetch(url, { ...requestInit(request.method, headers, request.signal), addresses });
    const location = response.headers.get("location");
    if (!REDIRECT_STATUSES.has(response.status) || location === null) return response;
    // A short body is read to its end, which keeps the connection for the next hop to the same server.
    await readBounded(response, 4096);
    const next = targetOf(location, url);
    trusted &&= next.origin === url.origin;
    url = next;
  }
  throw refusal(request.url, `the source redirects more than ${MAX_REDIRECTS} times`);
}

function targetOf(location: string, from: URL): URL {
  let target: URL;
  try {
    target = new URL(location, from);
  } catch {
    throw refusal(from, "the source redirects to a broken URL");
  }
  if (target.protocol !== "http:" && target.protocol !== "https:") {
    throw refusal(from, `the source redirects to ${target.protocol.slice(0, 20)}, which is neither http nor https`);
  }
  if (from.protocol === "https:" && target.protocol === "http:") {
    throw refusal(from, `the source redirects from https to plain http (${displayUrl(target)})`);
  }
  target.username = "";
  target.password = "";
  return target;
}

function refusal(url: URL, what: string) {
  return sourceProblem("source-refused", displayUrl(url), what, "Use the URL it should lead to");
}
