/** Headers a caller wants to be sent to the source. */
import { ProblemError } from "../../schema/problem.ts";

/** They would change which bytes come back, or how the request is framed; both are ours to decide. */
const REFUSED = new Set([
  "range",
  "if-range",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "te",
  "trailer",
  "upgrade",
  "expect",
  "keep-alive",
  "proxy-connection",
]);

/** @throws ProblemError `bad-request` naming the header that cannot be passed on. */
export function callerHeaders(given: Readonly<Record<string, string>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    if (REFUSED.has(name.toLowerCase())) {
      throw new ProblemError(
        "bad-request",
        `The header ${name} cannot be passed to a source: which bytes to ask for is decided here. Leave it out`,
      );
    }
    try {
      headers.append(name, value);
    } catch {
      throw new ProblemError(
        "bad-request",
        `The header ${name} holds characters that no header may hold. Mend its value`,
      );
    }
  }
  return headers;
}
