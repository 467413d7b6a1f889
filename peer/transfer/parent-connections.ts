/** Connections to the piece ports of other peers, kept for the next request: `fetch` gives each body through a stream and a
 *  thread of its own, which costs more CPU than all else that is done with a piece. */

import { type Exchange, HttpConnection } from "./http-connection.ts";
import type { ReplyHead } from "./http-reply.ts";
import { requestHead } from "./http-request.ts";
import { IdleConnections } from "./idle-connections.ts";
import { OutstandingBytes } from "./outstanding-bytes.ts";
import { Silence } from "./silence.ts";

export interface ParentRequest {
  /** Such as `http://10.0.0.7:65002`. */
  readonly origin: string;
  readonly method: "GET" | "POST";
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Lets whoever takes a body have its time. */
export interface BodyFlow {
  pause(): void;
  resume(): void;
  /** Wants no more of it: the request ends with an error. */
  stop(): void;
}

export interface ParentReplyTaker {
  /** A reply begins. */
  head?(reply: ReplyHead): void;
  /** More of a body; what it throws ends the request. The bytes are its own. */
  body(status: number, bytes: Uint8Array, flow: BodyFlow): void;
}

export type ParentReply = ReplyHead;

export interface AskOptions {
  readonly signal: AbortSignal;
  /** A parent that sends nothing for this long, while we listen, is given up. */
  readonly silenceMs: number;
}

/** Of one parent, and of all: as many as one task asks of one at a time, and of all parents. */
export const MAX_IDLE_PER_PARENT = 4;
const MAX_IDLE = 64;

export class ParentConnections {
  /** Of content, over all tasks. */
  readonly outstanding = new OutstandingBytes();
  readonly #idle = new IdleConnections({ perServer: MAX_IDLE_PER_PARENT, inAll: MAX_IDLE });

  /** Asks, and resolves once the whole reply has come.
   *  @throws Error when the parent does not answer well, the signal's reason, or what the taker throws */
  async ask(request: ParentRequest, taker: ParentReplyTaker, options: AskOptions): Promise<ParentReply> {
    options.signal.throwIfAborted();
    const text = requestText(request);
    const known = this.#idle.take(request.origin);
    if (known !== undefined) {
      const outcome = await this.#exchange(known, text, taker, options);
      if (outcome.kind === "whole") return outcome.reply;
      // The parent may have closed it at the moment when we used it.
      if (!outcome.retry) throw outcome.error;
    }
    const fresh = new HttpConnection(request.origin, this.#idle.forget);
    const outcome = await this.#exchange(fresh, text, taker, options);
    if (outcome.kind === "whole") return outcome.reply;
    throw outcome.error;
  }

  /** Closes what is idle; what is in use ends with its request. */
  close(): void {
    this.#idle.close();
  }

  #exchange(
    connection: HttpConnection,
    text: string,
    taker: ParentReplyTaker,
    { signal, silenceMs }: AskOptions,
  ): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    let reason: unknown;
    // Whoever takes the body may be at it when the connection serves somebody else already.
    let over = false;
    const giveUp = (why: unknown) => {
      reason ??= why;
      if (!over) connection.close();
    };
    const abort = () => giveUp(signal.reason);
    const silence = new Silence(silenceMs, () => giveUp(new Error(`silent for ${silenceMs} ms`)));
    signal.addEventListener("abort", abort);
    const flow: BodyFlow = {
      pause: () => {
        if (over) return;
        silence.suspend();
        connection.pause();
      },
      resume: () => {
        if (over) return;
        silence.resume();
        connection.resume();
      },
      stop: () => giveUp(new Error("the body is not wanted any more")),
    };
    const settle = (outcome: Outcome) => {
      over = true;
      signal.removeEventListener("abort", abort);
      silence[Symbol.dispose]();
      resolve(outcome);
    };
    let head: ReplyHead = { status: 0, header: () => undefined, headers: () => [] };
    const exchange: Exchange = {
      heard: () => silence.heard(),
      head: (read) => {
        head = read;
        taker.head?.(read);
      },
      body: (bytes) => taker.body(head.status, bytes, flow),
      whole: () => {
        connection.resume();
        this.#idle.keep(connection);
        settle({ kind: "whole", reply: head });
      },
      broken: (error, untouched) =>
        settle({ kind: "broken", error: reason ?? error, retry: untouched && reason === undefined }),
    };
    connection.send(text, exchange);
    return promise;
  }
}

type Outcome =
  | { readonly kind: "whole"; readonly reply: ParentReply }
  | { readonly kind: "broken"; readonly error: unknown; readonly retry: boolean };

/** @throws Error when a part of it would end its line */
function requestText({ origin, method, target, headers, body }: ParentRequest): string {
  const own = body === undefined ? [] : [["content-length", String(Buffer.byteLength(body))] as const];
  const host = origin.slice(origin.indexOf("//") + 2);
  return requestHead(method, target, host, [...Object.entries(headers), ...own]) + (body ?? "");
}
