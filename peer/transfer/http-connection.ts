/** One connection to a server, the piece port of another peer or a source: one request after the other. */
import type { Buffer } from "node:buffer";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { HttpReply, type ReplySink } from "./http-reply.ts";

/** What is told of a request. */
export interface Exchange extends ReplySink {
  /** Bytes came, of whatever. */
  heard(): void;
  /** All of the reply has come. */
  whole(): void;
  /** The connection ended before, or what came was no reply. @param untouched not one byte of a reply came */
  broken(error: Error, untouched: boolean): void;
}

/** A parent closes what is idle for 45 s (`IDLE_TIMEOUT_S` in peer/runtime/bun-server.ts), and most servers later than this: we do
 *  first. */
const IDLE_MS = 20_000;

export class HttpConnection {
  /** Such as `http://10.0.0.7:65002`. */
  readonly origin: string;
  readonly #socket: Socket;
  readonly #closed: (connection: HttpConnection) => void;
  #reply: HttpReply | undefined;
  #exchange: Exchange | undefined;
  #touched = false;
  #usable = true;

  /** @param closed called once, when it cannot be used any more */
  constructor(origin: string, closed: (connection: HttpConnection) => void) {
    this.origin = origin;
    this.#closed = closed;
    this.#socket = open(origin);
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (bytes: Buffer) => this.#data(bytes));
    this.#socket.on("end", () => this.#ended());
    this.#socket.on("error", (error) => this.#break(error));
    this.#socket.on("close", () => this.#break("the connection was closed"));
    this.#socket.on("timeout", () => this.close());
  }

  /** Whether it can take another request. */
  get usable(): boolean {
    return this.#usable;
  }

  /** Sends a request; the one before must have ended well. */
  send(request: string, exchange: Exchange): void {
    this.#exchange = exchange;
    this.#reply = new HttpReply(exchange);
    this.#touched = false;
    this.#socket.ref();
    this.#socket.setTimeout(0);
    this.#socket.write(request);
  }

  /** Reads nothing more for now, so that the other side has to wait. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Nobody has use for it now: it ends by itself, and keeps no process alive. */
  rest(): void {
    this.#socket.setTimeout(IDLE_MS);
    this.#socket.unref();
  }

  close(): void {
    this.#break("the request was given up");
  }

  #data(bytes: Buffer): void {
    const [reply, exchange] = [this.#reply, this.#exchange];
    if (reply === undefined || exchange === undefined) {
      // What nobody asked for.
      this.close();
      return;
    }
    this.#touched = true;
    exchange.heard();
    try {
      reply.take(bytes);
    } catch (error) {
      this.#break(error);
      return;
    }
    if (reply.over) this.#whole(reply, exchange);
  }

  #ended(): void {
    const [reply, exchange] = [this.#reply, this.#exchange];
    try {
      reply?.end();
    } catch (error) {
      this.#break(error);
      return;
    }
    if (reply !== undefined && exchange !== undefined) this.#whole(reply, exchange);
    this.close();
  }

  #whole(reply: HttpReply, exchange: Exchange): void {
    this.#reply = undefined;
    this.#exchange = undefined;
    if (!reply.keepAlive) this.close();
    exchange.whole();
  }

  /** @param cause an error, or what one is to say: most connections end when nobody asks anything of them */
  #break(cause: unknown): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#reply = undefined;
    if (this.#usable) {
      this.#usable = false;
      this.#socket.destroy();
      this.#closed(this);
    }
    exchange?.broken(cause instanceof Error ? cause : new Error(String(cause)), !this.#touched);
  }
}

function open(origin: string): Socket {
  const { protocol, hostname, port } = new URL(origin);
  const host = hostname.replaceAll(/[[\]]/g, "");
  if (protocol === "http:") return connect({ host, port: Number(port || 80) });
  return connectTls({ host, port: Number(port || 443), ...(isIP(host) === 0 ? { servername: host } : {}) });
}
