import { ProblemError } from "../../schema/problem.ts";

/** A line longer than this is no event of ours. */
const MAX_LINE_BYTES = 1024 * 1024;

/** Values of a stream of JSON lines as they come; a last line without its end was cut off and is dropped.
 *  @throws ProblemError `bad-message` when a line is too long or no JSON */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield parse(line);
    if (rest.length > MAX_LINE_BYTES) throw notOurs(`a line is longer than ${MAX_LINE_BYTES} bytes`);
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw notOurs("a line is no JSON", cause);
  }
}

function notOurs(what: string, cause?: unknown): ProblemError {
  const message = `The peer's answer was not understood (${what}): run the same version of the command and the peer`;
  return new ProblemError("bad-message", message, { cause });
}
