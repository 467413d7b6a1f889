/** The HTTP API of a model server on this machine: TorchServe, Triton. */
import { once } from "node:events";
import { type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http";
import { ProblemError } from "../../schema/problem.ts";

/** Longest reply that is read whole: a message of an error holds a trace of Python at most. */
const MAX_REPLY_BYTES = 64 * 1024;

export interface ServerRequest {
  readonly method: string;
  /** Path and query, sent character for character. */
  readonly target: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** Streamed on as it comes; absent for none. */
  readonly body?: IncomingMessage | string;
  readonly signal: AbortSignal;
}

export interface ServerReply {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly text: string;
}

/** How messages speak of a server. */
export interface ServerWords {
  readonly name: string;
  /** What to do when it does not answer, without a full stop. */
  readonly remedy: string;
}

export class ModelServer {
  readonly url: string;
  readonly #words: ServerWords;

  /** @param url `http://host:port` */
  constructor(url: string, words: ServerWords) {
    this.url = url;
    this.#words = words;
  }

  /** The reply as it begins. @throws ProblemError `server-unreachable` when it does not answer */
  async send({ method, target, rawHeaders, body, signal }: ServerRequest): Promise<IncomingMessage> {
    const { hostname, port } = new URL(this.url);
    const outgoing = request({
      host: hostname.replaceAll(/[[\]]/g, ""),
      port: port === "" ? 80 : Number(port),
      method,
      path: target,
      // In turn, as they came: `node:http` takes such a list, though its types do not say so.
      headers: rawHeaders as unknown as OutgoingHttpHeaders,
      setHost: false,
      signal,
    });
    try {
      const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
      if (body === undefined || typeof body === "string") outgoing.end(body);
      else body.pipe(outgoing);
      return (await answered)[0];
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw this.#silent(cause);
    }
  }

  /** A whole reply. @throws ProblemError as `send`, and when it is too long */
  async ask(asked: ServerRequest): Promise<ServerReply> {
    const response = await this.send(asked);
    const chunks: Uint8Array[] = [];
    let length = 0;
    try {
      for await (const chunk of response) {
        length += chunk.length;
        if (length > MAX_REPLY_BYTES)
          throw new ProblemError("bad-message", `The answer of ${this.#words.name} is too long`);
        chunks.push(chunk);
      }
    } catch (cause) {
      if (asked.signal.aborted) throw asked.signal.reason;
      throw cause instanceof ProblemError ? cause : this.#silent(cause);
    }
    const text = Buffer.concat(chunks).toString("utf8");
    return { status: response.statusCode ?? 0, rawHeaders: response.rawHeaders, text };
  }

  #silent(cause: unknown): ProblemError {
    const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    const { name, remedy } = this.#words;
    return new ProblemError("server-unreachable", `${name} does not answer at ${this.url}${code}: ${remedy}`, {
      cause,
    });
  }
}
