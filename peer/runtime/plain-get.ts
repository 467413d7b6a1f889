/** `GET` over plain HTTP for bodies of gigabytes: as `fetch`, over connections of our own, which take half the CPU of those of Bun's
 *  (docs/decisions/0016). Redirects are the caller's, and nothing is unpacked. */
import { VERSION } from "../../schema/version.ts";
import { type Exchange, HttpConnection } from "../transfer/http-connection.ts";
import type { ReplyHead } from "../transfer/http-reply.ts";
import { requestHead } from "../transfer/http-request.ts";
import { IdleConnections } from "../transfer/idle-connections.ts";
import { joinChunks } from "../transfer/join-chunks.ts";
import type { HttpFetchInit } from "./http-fetch.ts";

/** Idle connections of one server, and of all. */
const MAX_IDLE_PER_SERVER = 8;
const MAX_IDLE = 64;
/** Beyond this many bytes that nobody took, nothing more is read; from half of it on again. */
const HIGH_WATER_BYTES = 1024 * 1024;
/** Most that is handed on at once. */
const PART_BYTES = 256 * 1024;

/** Replies that a `Response` takes no body of. */
const BODILESS = [204, 205, 304];

/** What it asks of a request; any other one is for `fetch`. */
export function isPlainGet(url: URL, init: HttpFetchInit): boolean {
  const isGet = init.method === "GET" && init.redirect === "manual" && (init.body ?? undefined) === undefined;
  if (!isGet || url.protocol !== "http:" || init.unix !== undefined) return false;
  // What is no ASCII has bytes that fetch knows.
  return [...new Headers(init.headers).values()].every((value) => /^[\x20-\x7e]*$/.test(value));
}

export class PlainGets {
  readonly #idle = new IdleConnections({ perServer: MAX_IDLE_PER_SERVER, inAll: MAX_IDLE });

  /** @throws the signal's reason, or the error of the connection */
  async get(url: URL, init: HttpFetchInit): Promise<Response> {
    const signal = init.signal ?? undefined;
    signal?.throwIfAborted();
    const text = requestText(url, new Headers(init.headers));
    const known = this.#idle.take(url.origin);
    if (known !== undefined) {
      const outcome = await this.#send(known, text, signal);
      if (outcome instanceof Response) return outcome;
      // The server may have closed it at the moment when we used it.
      if (!outcome.retry) throw outcome.error;
    }
    const fresh = new HttpConnection(url.origin, this.#idle.forget);
    const outcome = await this.#send(fresh, text, signal);
    if (outcome instanceof Response) return outcome;
    throw outcome.error;
  }

  #send(connection: HttpConnection, text: string, signal: AbortSignal | undefined): Promise<Response | Failure> {
    const { promise, resolve } = Promise.withResolvers<Response | Failure>();
    const abort = () => connection.close();
    signal?.addEventListener("abort", abort);
    const body = new Body(connection);
    const over = () => signal?.removeEventListener("abort", abort);
    const exchange: Exchange = {
      heard: () => undefined,
      head: (head) => resolve(responseOf(head, body)),
      body: (bytes) => body.add(bytes),
      whole: () => {
        over();
        body.end();
        connection.resume();
        this.#idle.keep(connection);
      },
      broken: (error, untouched) => {
        over();
        const reason = signal?.aborted ? signal.reason : error;
        body.fail(reason);
        resolve({ error: reason, retry: untouched && signal?.aborted !== true });
      },
    };
    connection.send(text, exchange);
    return promise;
  }
}

interface Failure {
  readonly error: unknown;
  readonly retry: boolean;
}

/** What came and was not taken yet. */
class Body {
  readonly #connection: HttpConnection;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #paused = false;
  #state: "coming" | "whole" | "failed" = "coming";
  #error: unknown;
  #arrived: (() => void) | undefined;

  constructor(connection: HttpConnection) {
    this.#connection = connection;
  }

  add(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    if (!this.#paused && this.#bytes >= HIGH_WATER_BYTES) {
      this.#paused = true;
      this.#connection.pause();
    }
    this.#arrived?.();
  }

  end(): void {
    this.#state = "whole";
    this.#arrived?.();
  }

  fail(error: unknown): void {
    if (this.#state !== "coming") return;
    this.#state = "failed";
    this.#error = error;
    this.#arrived?.();
  }

  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: (controller) => this.#pull(controller),
        cancel: () => {
          this.#chunks = [];
          if (this.#state === "coming") this.#connection.close();
        },
      },
      { highWaterMark: 0 },
    );
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (this.#chunks.length === 0 && this.#state === "coming") {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#arrived = resolve;
      await promise;
      this.#arrived = undefined;
    }
    if (this.#chunks.length > 0) controller.enqueue(this.#part());
    else if (this.#state === "failed") throw this.#error;
    else controller.close();
  }

  /** The first chunk, and those behind it that fit. */
  #part(): Uint8Array {
    let count = 0;
    let bytes = 0;
    for (const chunk of this.#chunks) {
      if (count > 0 && bytes + chunk.length > PART_BYTES) break;
      count++;
      bytes += chunk.length;
    }
    const part = joinChunks(this.#chunks.splice(0, count), bytes);
    this.#bytes -= bytes;
    if (this.#paused && this.#state === "coming" && this.#bytes <= HIGH_WATER_BYTES / 2) {
      this.#paused = false;
      this.#connection.resume();
    }
    return part;
  }
}

function responseOf(head: ReplyHead, body: Body): Response {
  const headers = new Headers();
  for (const [name, value] of head.headers()) headers.append(name, value);
  return new Response(BODILESS.includes(head.status) ? null : body.stream(), { status: head.status, headers });
}

function requestText(url: URL, headers: Headers): string {
  const host = headers.get("host") ?? url.host;
  headers.delete("host");
  if (!headers.has("accept")) headers.set("accept", "*/*");
  if (!headers.has("user-agent")) headers.set("user-agent", `pantala/${VERSION}`);
  return requestHead("GET", `${url.pathname}${url.search}`, host, headers);
}
