/** What the Hub says about a file in the headers of its reply, also when that is a redirect to where the bytes are. */
import { contentLengthOf } from "../reply-facts.ts";

export interface HubFacts {
  /** Which commit the revision is. */
  readonly commit: string | undefined;
  /** Without quotes: SHA-256 of a large file, the git id of a small one. */
  readonly etag: string | undefined;
  readonly sizeBytes: number | undefined;
}

const COMMIT = /^[0-9a-f]{40}$/;
/** A digest of the content, whoever computed it. */
const DIGEST = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** @param before what earlier replies of the Hub said */
export function hubFactsOf(headers: Headers, before: HubFacts | undefined): HubFacts {
  const commit = headers.get("x-repo-commit") ?? "";
  const linkedEtag = bare(headers.get("x-linked-etag"));
  const isRedirect = headers.has("location");
  const linkedSize = contentLengthOf(new Headers({ "content-length": headers.get("x-linked-size") ?? "" }));
  return {
    commit: COMMIT.test(commit) ? commit : before?.commit,
    etag: linkedEtag ?? before?.etag ?? (isRedirect ? undefined : bare(headers.get("etag"))),
    sizeBytes: linkedSize ?? before?.sizeBytes,
  };
}

/** The ETag that tells contents apart at any revision: a digest as it is; another one only together with the commit, since
 *  nobody says that it differs between two. */
export function contentEtag({ commit, etag }: HubFacts, revision: string, headers: Headers): string {
  if (etag !== undefined && DIGEST.test(etag)) return `"${etag}"`;
  return `"${commit ?? revision}:${etag ?? headers.get("last-modified") ?? ""}"`;
}

function bare(etag: string | null): string | undefined {
  const text = (etag ?? "").trim().replace(/^W\//, "").replaceAll('"', "");
  return text === "" ? undefined : text;
}
