/** What the Hub says when it does not answer with content. */
import { readBounded } from "../read-bounded.ts";
import { sourceProblem } from "../source-problem.ts";

const MAX_BODY_BYTES = 4096;

interface Meaning {
  readonly code: "source-not-found" | "source-forbidden";
  readonly what: string;
  readonly remedy: string;
}

/** By the header `X-Error-Code`. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  EntryNotFound: {
    code: "source-not-found",
    what: "the repository has no such file at this revision",
    remedy: "Check the path and the revision",
  },
  RevisionNotFound: {
    code: "source-not-found",
    what: "the repository has no such revision",
    remedy: "Name a branch, a tag or a commit that it has",
  },
  RepoNotFound: {
    code: "source-not-found",
    what: "there is no such repository, or it is private and this token may not see it",
    remedy: "Check its name and kind (hf://datasets/, hf://spaces/); for a private one give a token (HF_TOKEN)",
  },
  GatedRepo: {
    code: "source-forbidden",
    what: "the repository is gated",
    remedy: "Accept its conditions on its page, and give a token of that account (HF_TOKEN)",
  },
};

/** @throws ProblemError for a refusal that the Hub gives a reason for; gives any other reply back */
export async function orHubProblem(response: Response, displayUrl: string): Promise<Response> {
  if (response.status < 400) return response;
  if (response.status === 429) return withRetryAfter(response);
  const sourceCode = response.headers.get("x-error-code") ?? "";
  const meaning = Object.hasOwn(MEANINGS, sourceCode) ? MEANINGS[sourceCode] : undefined;
  if (meaning === undefined) return response;
  await readBounded(response, MAX_BODY_BYTES);
  const { status } = response;
  const what = `${meaning.what} (the source answered ${status})`;
  throw sourceProblem(meaning.code, displayUrl, what, meaning.remedy, { status, sourceCode });
}

/** The Hub says it in a header of its own: `RateLimit: "resolvers";r=0;t=55`. */
function withRetryAfter(response: Response): Response {
  const seconds = /;\s*t=(\d{1,6})/.exec(response.headers.get("ratelimit") ?? "")?.[1];
  if (seconds === undefined || response.headers.has("retry-after")) return response;
  const headers = new Headers(response.headers);
  headers.set("retry-after", seconds);
  return new Response(response.body, { status: response.status, headers });
}
