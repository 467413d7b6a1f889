/** The listener of the proxy. On `node:http`, since only there the request target stays as it was sent and CONNECT gives
 *  a socket (Bun 1.4.5). */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { ListenAddress } from "../../schema/settings.ts";
import { listenProblem } from "./listen-problem.ts";

export interface ProxyServerOptions {
  readonly listen: ListenAddress;
  /** PEM: the proxy itself is reached by TLS; plain when absent. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string } | undefined;
  readonly maxConnections: number;
  readonly answer: (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>;
  readonly connect: (incoming: IncomingMessage, client: Duplex, head: Uint8Array) => Promise<void>;
}

export interface ProxyServer extends AsyncDisposable {
  readonly port: number;
  setMaxConnections(most: number): void;
}

/** All headers of a request together. */
const MAX_HEADER_BYTES = 64 * 1024;
/** Clients keep connections for the next request; a little longer than their own limits, so that they close first. */
const KEEP_ALIVE_MS = 65_000;
/** A client that begins a request has so long to say what it wants. */
const HEADERS_TIMEOUT_MS = 30_000;

/** What `node:http` finds wrong with a request before anybody sees it. */
const FAULTS: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "The headers of the request are too long"],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "The request did not come in time"],
  HPE_INVALID_METHOD: ["400 Bad Request", "The request is not HTTP/1.1, or has a method that is not known"],
};
const OTHER_FAULT = ["400 Bad Request", "The request is not valid HTTP/1.1"] as const;

/** @throws ProblemError `in-use` when another process listens there, `conflict` when it cannot listen for another reason */
export async function serveProxy(options: ProxyServerOptions): Promise<ProxyServer> {
  const { listen, tls, answer, connect } = options;
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Without one, a request is refused in the words that all others are refused in.
    requireHostHeader: false,
  };
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse) => void answer(incoming, outgoing);
  const server =
    tls === undefined
      ? createServer({ ...limits, requestTimeout: 0 }, onRequest)
      : createTlsServer(
          { ...limits, ...tls, requestTimeout: 0, ...(tls.ca === undefined ? {} : { requestCert: true }) },
          onRequest,
        );
  const tunnels = new Set<Duplex>();
  server.on("connect", (incoming, client, head) => {
    tunnels.add(client);
    client.once("close", () => tunnels.delete(client));
    void connect(incoming, client, head);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, client) => {
    if (!client.writable) return;
    const [status, message] = FAULTS[error.code ?? ""] ?? OTHER_FAULT;
    const body = `${message}\n`;
    client.end(
      `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n` +
        `X-Dragonfly-Error-Type: proxy\r\nConnection: close\r\n\r\n${body}`,
    );
  });
  server.maxConnections = options.maxConnections;
  try {
    server.listen(listen.port, listen.hostname);
    await once(server, "listening");
  } catch (cause) {
    throw listenProblem(`${listen.hostname}:${listen.port}`, "proxyListen", cause);
  }
  return {
    port: (server.address() as AddressInfo).port,
    setMaxConnections(most) {
      server.maxConnections = most;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      for (const client of tunnels) client.destroy();
      await closed;
    },
  };
}
