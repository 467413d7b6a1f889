/** A web server behind a proxy: serves files with ranges, whatever else a test says, and remembers what it was asked. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { formatContentRange, parseRange } from "../../schema/byte-range.ts";

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface Asked {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
}

export class HttpOrigin implements AsyncDisposable {
  readonly #server: Server;
  readonly #handlers = new Map<string, Handler>();
  readonly #asked: Asked[] = [];
  #bodyBytes = 0;

  static async start(): Promise<HttpOrigin> {
    const origin = new HttpOrigin();
    origin.#server.listen(0, "127.0.0.1");
    await once(origin.#server, "listening");
    return origin;
  }

  private constructor() {
    this.#server = createServer((request, response) => {
      const { method = "", url = "", rawHeaders } = request;
      this.#asked.push({ method, target: url, rawHeaders });
      const handler = this.#handlers.get(url.replace(/\?.*$/, ""));
      if (handler === undefined) response.writeHead(404, { "content-type": "text/plain" }).end("there is nothing\n");
      else handler(request, response);
    });
  }

  /** `127.0.0.1:port` */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** Bytes of files sent so far. */
  get bodyBytes(): number {
    return this.#bodyBytes;
  }

  /** Requests for a path, oldest first. */
  asked(path: string): readonly Asked[] {
    return this.#asked.filter(({ target }) => target.replace(/\?.*$/, "") === path);
  }

  on(path: string, handler: Handler): string {
    this.#handlers.set(path, handler);
    return `${this.url}${path}`;
  }

  /** @param headers besides length, type and ETag @param allow says who may read */
  file(
    path: string,
    content: Uint8Array,
    headers: Readonly<Record<string, string>> = {},
    allow: (request: IncomingMessage) => boolean = () => true,
  ): string {
    const etag = `"${createHash("sha256").update(content).digest("hex").slice(0, 16)}"`;
    return this.on(path, (request, response) => {
      if (!allow(request)) {
        response.writeHead(403).end("no\n");
        return;
      }
      const asked = parseRange(request.headers.range, content.length);
      const own = { etag, "accept-ranges": "bytes", "content-type": "application/x-model", ...headers };
      if (asked.kind === "unsatisfiable") {
        response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
        return;
      }
      const range = asked.kind === "range" ? asked.range : { start: 0, end: content.length };
      const part = content.subarray(range.start, range.end);
      const place = asked.kind === "range" ? { "content-range": formatContentRange(range, content.length) } : {};
      response.writeHead(asked.kind === "range" ? 206 : 200, {
        ...own,
        ...place,
        "content-length": String(part.length),
      });
      if (request.method === "HEAD") {
        response.end();
        return;
      }
      this.#bodyBytes += part.length;
      response.end(part);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}
