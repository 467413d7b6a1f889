/** Failures of a source in words. A problem names the object by its display form and never holds a header, a query
 *  or the error of `fetch`, whose own fields repeat the whole URL. */
import { type ProblemCode, ProblemError } from "../../schema/problem.ts";
import { readBounded } from "./read-bounded.ts";
import type { SourceTransport } from "./source-transport.ts";

/** A failure that another try may mend; `problem` is what to tell when none does. */
export class TransientError extends Error {
  override readonly name = "TransientError";
  readonly problem: ProblemError;
  /** What the source asked us to wait, when it did. */
  readonly retryAfterMs: number | undefined;
  /** Whether the source said that it is asked too often. */
  readonly throttled: boolean;

  constructor(problem: ProblemError, retryAfterMs?: number, throttled = false) {
    super(problem.message);
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
    this.throttled = throttled;
  }
}

/** `what` and `remedy` are sentences without a full stop. */
export function sourceProblem(
  code: ProblemCode,
  displayUrl: string,
  what: string,
  remedy: string,
  detail: Record<string, unknown> = {},
): ProblemError {
  return new ProblemError(code, `${displayUrl}: ${what}. ${remedy}`, { detail: { url: displayUrl, ...detail } });
}

/** Longest start of an error body that is looked at. */
const MAX_ERROR_BODY_BYTES = 4096;
const MAX_QUOTED_LENGTH = 300;
const NOT_IMPLEMENTED = 501;
const RETRIED_STATUSES = new Set([408, 425, 429]);
/** How stores say, mostly under status 503, that they are asked too often: S3 and those like it, Azure, OSS, OBS. */
const THROTTLING_CODE = /^(?:SlowDown.*|ServerBusy|TooManyRequests|Throttl.*|.*LimitExceeded)$/;
/** Errors about credentials that S3 sends under status 400, and Azure under 409. */
const CREDENTIAL_CODES = new Set([
  "ExpiredToken",
  "InvalidToken",
  "TokenRefreshRequired",
  "AuthorizationHeaderMalformed",
  "PublicAccessNotPermitted",
]);

/** Turns a reply that is not the content into the error it means. Reads a bounded part of its body. */
export async function replyFailure(
  response: Response,
  transport: Pick<SourceTransport, "displayUrl" | "forbiddenRemedy">,
  nowMs: number,
): Promise<ProblemError | TransientError> {
  const { status } = response;
  const said = explanationIn(new TextDecoder().decode(await readBounded(response, MAX_ERROR_BODY_BYTES)));
  const answered = `the source answered ${status}${said.text === "" ? "" : ` (${said.text})`}`;
  const detail = { status, ...(said.code === undefined ? {} : { sourceCode: said.code }) };
  const problem = (code: ProblemCode, remedy: string) =>
    sourceProblem(code, transport.displayUrl, answered, remedy, detail);

  if (status === 401 || status === 403 || status === 407 || CREDENTIAL_CODES.has(said.code ?? "")) {
    return problem("source-forbidden", said.code === "RequestTimeTooSkewed" ? SKEW_REMEDY : transport.forbiddenRemedy);
  }
  if (status === 404 || status === 410) {
    return problem("source-not-found", NO_BUCKET_CODES.has(said.code ?? "") ? NO_BUCKET_REMEDY : NO_OBJECT_REMEDY);
  }
  if (status === 412 || status === 416) return problem("source-changed", "The content is another one now: start again");
  const mayMend = RETRIED_STATUSES.has(status) || (status >= 500 && status !== NOT_IMPLEMENTED);
  const refused = problem("source-refused", mayMend ? BUSY_REMEDY : ODD_REMEDY);
  if (!mayMend) return refused;
  const throttled = status === 429 || THROTTLING_CODE.test(said.code ?? "");
  return new TransientError(refused, retryAfterMs(response.headers.get("retry-after"), nowMs), throttled);
}

const NO_BUCKET_CODES = new Set(["NoSuchBucket", "ContainerNotFound"]);
const NO_BUCKET_REMEDY = "Check the name of the bucket or container, and that the endpoint and the account are its own";
const NO_OBJECT_REMEDY = "Check that the object exists and its name";
const SKEW_REMEDY = "Set the clock of this machine: it differs from the one of the store";
const BUSY_REMEDY = "The source has trouble or limits us: try again later";
const ODD_REMEDY = "Check that the URL is a file that can be downloaded";

/** `Retry-After` in seconds or as a date; `undefined` when it is neither. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

/** `Code` and `Message` of an S3 error; nothing of other bodies, which may repeat what we sent. */
function explanationIn(body: string): { readonly code?: string; readonly text: string } {
  const code = /<Code>([A-Za-z0-9._-]{1,100})<\/Code>/.exec(body)?.[1];
  if (code === undefined) return { text: "" };
  const message = /<Message>([^<]*)/.exec(body)?.[1] ?? "";
  const words = message
    .replaceAll(/\p{Cc}+/gu, " ")
    .trim()
    .replace(/\.$/, "")
    .slice(0, MAX_QUOTED_LENGTH);
  return { code, text: words === "" ? code : `${code}: ${words}` };
}
