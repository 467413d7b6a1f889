/** The body of a reply, at the pace of its client. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";

/** A client that takes nothing for this long is cut off. */
const STALLED_CLIENT_MS = 15 * 60_000;

export class BodyWriter {
  readonly #outgoing: ServerResponse;
  readonly #gone = new AbortController();

  constructor(outgoing: ServerResponse) {
    this.#outgoing = outgoing;
    outgoing.once("close", () => this.#gone.abort(new Error("the client has gone")));
    outgoing.setTimeout(STALLED_CLIENT_MS, () => outgoing.destroy());
  }

  /** Aborts when the client goes. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** Resolves when the client takes more. The bytes must stay as they are. @throws when the client has gone */
  async write(bytes: Uint8Array): Promise<void> {
    this.signal.throwIfAborted();
    if (!this.#outgoing.write(bytes)) await once(this.#outgoing, "drain", { signal: this.signal });
  }

  /** Resolves when the bytes have left, so that their place can be used again. @throws when the client has gone */
  flush(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const gone = () => reject(this.signal.reason);
      if (this.signal.aborted) return gone();
      this.signal.addEventListener("abort", gone);
      this.#outgoing.write(bytes, (error) => {
        this.signal.removeEventListener("abort", gone);
        if (error) reject(error);
        else resolve();
      });
    });
  }
}
