import { joinChunks } from "./join-chunks.ts";
import type { Silence } from "./silence.ts";

/** A link of few Mbit/s gives a body packet by packet. Looked at one by one, packets of 3 KB cost several times the CPU of
 *  all else that is done with them; a grain is 5 ms of 100 Mbit/s. */
const GRAIN_BYTES = 64 * 1024;

/** A body that must have exactly `length` bytes, in grains of 64 KiB or what the platform gives when that is more. Whoever
 *  sends more is not read on.
 *  @param heard called whenever bytes come @throws Error */
export async function* readExactly(
  response: Response,
  length: number,
  silence: Silence,
  heard: () => void,
): AsyncGenerator<Uint8Array> {
  let received = 0;
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  for await (const chunk of chunksOf(response, silence)) {
    heard();
    received += chunk.length;
    if (received > length) throw new Error(`the reply is longer than ${length} bytes`);
    gathered.push(chunk);
    gatheredBytes += chunk.length;
    if (gatheredBytes < GRAIN_BYTES && received < length) continue;
    yield joinChunks(gathered, gatheredBytes);
    gathered = [];
    gatheredBytes = 0;
  }
  if (received < length) throw new Error(`the reply ended after ${received} of ${length} bytes`);
}

/** A short text. @throws Error when it is longer than `maxBytes` */
export async function readText(response: Response, maxBytes: number, silence: Silence): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of chunksOf(response, silence)) {
    length += chunk.length;
    if (length > maxBytes) throw new Error(`the reply is longer than ${maxBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

async function* chunksOf(response: Response, silence: Silence): AsyncGenerator<Uint8Array> {
  silence.heard();
  for await (const chunk of response.body ?? []) {
    silence.heard();
    yield chunk;
  }
}
