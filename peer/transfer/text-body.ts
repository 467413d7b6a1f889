import type { ParentReplyTaker } from "./parent-connections.ts";

/** A body that is a short text. */
export class TextBody implements ParentReplyTaker {
  readonly #maxBytes: number;
  readonly #decoder = new TextDecoder();
  #receivedBytes = 0;
  #text = "";

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Once all has come. */
  get text(): string {
    return this.#text + this.#decoder.decode();
  }

  body(_status: number, bytes: Uint8Array): void {
    this.#receivedBytes += bytes.length;
    if (this.#receivedBytes > this.#maxBytes) throw new Error(`the reply is longer than ${this.#maxBytes} bytes`);
    this.#text += this.#decoder.decode(bytes, { stream: true });
  }
}
