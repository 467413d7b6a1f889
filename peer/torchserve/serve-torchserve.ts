/** The listener of the face. On `node:http`, since only there targets and headers stay as they were sent. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ListenAddress } from "../../schema/settings.ts";
import { listenProblem } from "../runtime/listen-problem.ts";

export interface FaceServer extends AsyncDisposable {
  readonly port: number;
}

/** Beyond that new connections are closed at once. */
const MAX_CONNECTIONS = 256;

/** `localhost` is both 127.0.0.1 and, where the machine has it, ::1, since clients try either first.
 *  @throws ProblemError `in-use`, `conflict` when it cannot listen */
export async function serveTorchServe(
  { hostname, port }: ListenAddress,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<FaceServer> {
  await using opened = new AsyncDisposableStack();
  const open = async (host: string, at: number): Promise<number> => {
    const server = await listen(host, at, answer);
    opened.defer(() => close(server));
    return (server.address() as AddressInfo).port;
  };
  const taken = await open(hostname === "localhost" ? "127.0.0.1" : hostname, port);
  if (hostname === "localhost") {
    try {
      await open("::1", taken);
    } catch (error) {
      // A machine without IPv6.
      if (!(error instanceof Error && /EADDRNOTAVAIL|EAFNOSUPPORT/.test(String(error.cause)))) throw error;
    }
  }
  const servers = opened.move();
  return { port: taken, [Symbol.asyncDispose]: () => servers.disposeAsync() };
}

async function listen(
  host: string,
  port: number,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<Server> {
  // A registration that loads workers, and the fetch before it, take as long as they take.
  const server = createServer({ requestTimeout: 0 }, (request, response) => void answer(request, response));
  server.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  });
  server.maxConnections = MAX_CONNECTIONS;
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (cause) {
    throw listenProblem(`${host}:${port}`, "listen", cause, true);
  }
  return server;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
