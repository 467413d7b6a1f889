/** The local API of the peer on this machine, from the side of a command. */
import type { z } from "zod";
import { ProblemError, problemSchema } from "../../schema/problem.ts";
import {
  CONTENT_BYTES_HEADER,
  type ContentRequest,
  type GetEvent,
  type GetRequest,
  getEventSchema,
} from "../../schema/wire/local.ts";
import { unixFetch } from "../runtime/unix-fetch.ts";
import { jsonLines } from "./json-lines.ts";

/** Longest JSON reply that is read: a host with 100,000 tasks stays below. */
const MAX_REPLY_BYTES = 64 * 1024 * 1024;

export interface LocalClientOptions {
  /** Path of the peer's unix socket. */
  readonly socket: string;
  /** Flags that make a peer listen there, with a blank before each: told when there is none. */
  readonly startFlags: string;
  /** Ends whatever is under way; its reason is thrown. */
  readonly signal: AbortSignal;
}

export class LocalClient {
  readonly #socket: string;
  readonly #startFlags: string;
  readonly #signal: AbortSignal;

  constructor(options: LocalClientOptions) {
    this.#socket = options.socket;
    this.#startFlags = options.startFlags;
    this.#signal = options.signal;
  }

  /** @throws ProblemError what the peer says, `not-ready` when none answers */
  async read<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> {
    return this.#parsed(path, schema, await this.#exchange("GET", path));
  }

  /** @throws ProblemError as `read` */
  async post<Schema extends z.ZodType>(path: string, body: object, schema: Schema): Promise<z.output<Schema>> {
    return this.#parsed(path, schema, await this.#exchange("POST", path, JSON.stringify(body)));
  }

  /** @throws ProblemError as `read` */
  async delete(path: string): Promise<void> {
    await this.#exchange("DELETE", path);
  }

  /** @throws ProblemError as `read` */
  async put(path: string): Promise<void> {
    await this.#exchange("PUT", path);
  }

  /** Events of a download, in order, the last one `ready` or `failed`. The peer keeps the content where `ready` says
   *  until the iteration ends; ending it earlier stops the download unless somebody else wants it.
   *  @throws ProblemError as `read`; `not-ready` when the peer goes away in between */
  async *get(body: GetRequest): AsyncGenerator<GetEvent> {
    const reply = await this.#send("POST", "/v1/get", JSON.stringify(body));
    if (reply.status !== 200) throw await this.#problemOf(reply);
    try {
      for await (const line of jsonLines(chunksOf(reply))) {
        const event = getEventSchema.safeParse(line);
        // Events of a newer peer that this command does not know tell it nothing.
        if (event.success) yield event.data;
      }
    } catch (error) {
      throw this.#explain(error);
    }
    throw this.#gone();
  }

  /** The content itself, in order, as it is verified. Ending the iteration ends the download unless somebody else wants
   *  it. @throws ProblemError as `read`; `source-unreachable` when it breaks off */
  async *content(body: ContentRequest): AsyncGenerator<Uint8Array> {
    const reply = await this.#send("POST", "/v1/content", JSON.stringify(body));
    if (reply.status !== 200) throw await this.#problemOf(reply);
    const sizeBytes = Number(reply.headers.get(CONTENT_BYTES_HEADER));
    let receivedBytes = 0;
    try {
      for await (const chunk of chunksOf(reply)) {
        receivedBytes += chunk.length;
        yield chunk;
      }
    } catch (cause) {
      if (this.#signal.aborted) throw this.#signal.reason;
      throw brokenOff(receivedBytes, sizeBytes, cause);
    }
    if (receivedBytes !== sizeBytes) throw brokenOff(receivedBytes, sizeBytes);
  }

  #parsed<Schema extends z.ZodType>(path: string, schema: Schema, body: unknown): z.output<Schema> {
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new ProblemError(
      "bad-message",
      `The peer's answer to ${path} was not understood: run the same version of the command and the peer`,
      { cause: parsed.error },
    );
  }

  async #exchange(method: string, path: string, body?: string): Promise<unknown> {
    const reply = await this.#send(method, path, body);
    if (!reply.ok) throw await this.#problemOf(reply);
    return await this.#json(reply);
  }

  async #send(method: string, path: string, body?: string): Promise<Response> {
    try {
      return await unixFetch(this.#socket, { method, path, body, signal: this.#signal });
    } catch (error) {
      throw this.#explain(error);
    }
  }

  async #json(reply: Response): Promise<unknown> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    try {
      for await (const chunk of chunksOf(reply)) {
        length += chunk.length;
        if (length > MAX_REPLY_BYTES) throw new ProblemError("bad-message", "The peer's answer is too long");
        chunks.push(chunk);
      }
    } catch (error) {
      throw this.#explain(error);
    }
    if (length === 0) return undefined;
    try {
      return JSON.parse(Buffer.concat(chunks).toString("utf8"));
    } catch {
      return undefined;
    }
  }

  async #problemOf(reply: Response): Promise<ProblemError> {
    const problem = problemSchema.safeParse(await this.#json(reply));
    if (problem.success)
      return new ProblemError(problem.data.code, problem.data.message, { detail: problem.data.detail });
    return new ProblemError(
      "bad-message",
      `Whatever answers at ${this.#socket} is no peer (HTTP status ${reply.status}): name the peer's socket with --socket`,
    );
  }

  #explain(error: unknown): unknown {
    if (this.#signal.aborted) return this.#signal.reason;
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ECONNREFUSED") return this.#absent(error);
    if (code === "ECONNRESET" || code === "EPIPE") return this.#gone(error);
    if (code === "EACCES" || code === "EPERM") {
      return new ProblemError(
        "not-ready",
        `The peer's socket ${this.#socket} belongs to another user: run this as that user, or name the socket of your own peer with --socket`,
        { cause: error },
      );
    }
    return error;
  }

  #absent(cause: unknown): ProblemError {
    return new ProblemError(
      "not-ready",
      `No peer answers at ${this.#socket}: start one with \`pantala peer${this.#startFlags}\` ` +
        `(from a checkout: \`bun run peer${this.#startFlags}\`), with --scheduler URL unless that runs on this machine; ` +
        "or name the socket of a running one with --socket",
      { detail: { socket: this.#socket }, cause },
    );
  }

  #gone(cause?: unknown): ProblemError {
    return new ProblemError(
      "not-ready",
      `The peer at ${this.#socket} went away: start it again and run the same command to resume`,
      { detail: { socket: this.#socket }, cause },
    );
  }
}

/** Leaving the iteration closes the connection. */
function chunksOf(reply: Response): AsyncIterable<Uint8Array> {
  return reply.body ?? new ReadableStream<Uint8Array>({ start: (body) => body.close() });
}

function brokenOff(receivedBytes: number, sizeBytes: number, cause?: unknown): ProblemError {
  const message = `The content broke off after ${receivedBytes} of ${sizeBytes} bytes: the peer's log says why; what was written is not whole`;
  return new ProblemError("source-unreachable", message, { cause });
}
