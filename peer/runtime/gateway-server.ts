/** The listener of the S3 gateway. On `node:http`, since only there the request target stays as it was sent, which is what
 *  signatures are over, and a body that is paced keeps its Content-Length (Bun 1.4.5). */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ListenAddress } from "../../schema/settings.ts";
import type { GatewayReply, GatewayRequest, ReplyHeaders } from "../gateway/gateway-port.ts";
import { listenProblem } from "./listen-problem.ts";

export interface GatewayServer extends AsyncDisposable {
  readonly port: number;
}

/** Beyond that new connections are closed at once. */
const MAX_CONNECTIONS = 1024;
/** Clients keep connections for the next request; a little longer than their own limits, so that they close first. */
const KEEP_ALIVE_MS = 65_000;
/** A client that takes nothing for this long is cut off. */
const STALLED_CLIENT_MS = 5 * 60_000;

/** @throws ProblemError `in-use` when another process listens there, `conflict` when it cannot listen for another reason */
export async function serveGateway(
  { hostname, port }: ListenAddress,
  answer: (request: GatewayRequest, reply: GatewayReply) => Promise<void>,
): Promise<GatewayServer> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const reply = new NodeReply(request, response);
    void answer(reply.request(), reply);
  });
  // Who means to write is refused before it sends anything.
  server.on("checkContinue", (request, response) => server.emit("request", request, response));
  server.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  });
  server.maxConnections = MAX_CONNECTIONS;
  try {
    server.listen(port, hostname);
    await once(server, "listening");
  } catch (cause) {
    throw listenProblem(`${hostname}:${port}`, "gatewayListen", cause);
  }
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

class NodeReply implements GatewayReply {
  readonly requestId = randomBytes(8).toString("hex").toUpperCase();
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #gone = new AbortController();

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    response.once("close", () => this.#gone.abort(new Error("the client has gone")));
  }

  request(): GatewayRequest {
    const { method = "GET", url = "/", rawHeaders } = this.#request;
    return { method, target: url, rawHeaders, signal: this.#gone.signal };
  }

  get begun(): boolean {
    return this.#response.headersSent;
  }

  send(status: number, headers: ReplyHeaders, body = ""): void {
    this.#head(status, { ...headers, "content-length": String(Buffer.byteLength(body)) });
    this.#response.end(this.#request.method === "HEAD" ? undefined : body);
  }

  begin(status: number, headers: ReplyHeaders): void {
    this.#head(status, headers);
    this.#response.flushHeaders();
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#gone.signal.throwIfAborted();
    if (this.#response.write(bytes)) return;
    const stalled = setTimeout(() => this.#response.destroy(), STALLED_CLIENT_MS);
    try {
      await once(this.#response, "drain", { signal: this.#gone.signal });
    } finally {
      clearTimeout(stalled);
    }
  }

  end(): void {
    this.#response.end();
  }

  abort(): void {
    this.#response.destroy();
  }

  #head(status: number, headers: ReplyHeaders): void {
    // What else a client sends that we refuse is not read.
    const refused = this.#request.method !== "GET" && this.#request.method !== "HEAD";
    this.#response.writeHead(status, {
      ...headers,
      "x-amz-request-id": this.requestId,
      "x-amz-id-2": this.requestId,
      ...(refused ? { connection: "close" } : {}),
    });
  }
}
