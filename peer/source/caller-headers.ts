/** Headers a caller wants to be sent to the source. */
import { ProblemError } from "../../schema/problem.ts";

const BYTES = "which bytes to ask for is decided here";
const FRAMING = "how a request is sent is decided here";

/** Headers that are ours to decide, and why. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ["range", BYTES],
  ["if-range", BYTES],
  ["if-match", BYTES],
  ["if-none-match", BYTES],
  ["if-modified-since", BYTES],
  ["if-unmodified-since", BYTES],
  ["host", "it is made of the URL"],
  ["connection", FRAMING],
  ["content-length", FRAMING],
  ["transfer-encoding", FRAMING],
  ["te", FRAMING],
  ["trailer", FRAMING],
  ["upgrade", FRAMING],
  ["expect", FRAMING],
  ["keep-alive", FRAMING],
  ["proxy-connection", FRAMING],
]);

/** @throws ProblemError `bad-request` naming the header that cannot be passed on. */
export function callerHeaders(given: Readonly<Record<string, string>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    const why = REFUSED.get(name.toLowerCase());
    if (why !== undefined) {
      throw new ProblemError("bad-request", `The header ${name} cannot be passed to a source: ${why}. Leave it out`);
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
