/** Reads a JSON body of bounded length. */
import { RefusedError } from "./refused-error.ts";

/** @throws RefusedError `body-too-large` or `bad-request` */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const tooLarge = () =>
    new RefusedError("bad-request", "body-too-large", `The body may have at most ${maxBytes} bytes`);
  if (Number(request.headers.get("content-length")) > maxBytes) throw tooLarge();
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge();
    text += decoder.decode(chunk, { stream: true });
  }
  try {
    return JSON.parse(text + decoder.decode());
  } catch {
    // The cause would quote the body, which may hold credentials.
    throw new RefusedError("bad-request", "bad-request", "The body is no JSON");
  }
}
