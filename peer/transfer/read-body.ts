import type { Silence } from "./silence.ts";

/** Chunks of a body that must have exactly `length` bytes. Whoever sends more is not read on. @throws Error */
export async function* readExactly(response: Response, length: number, silence: Silence): AsyncGenerator<Uint8Array> {
  let received = 0;
  for await (const chunk of chunksOf(response, silence)) {
    received += chunk.length;
    if (received > length) throw new Error(`the reply is longer than ${length} bytes`);
    yield chunk;
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
