/** The servers of a peer on Bun. */
import type { ByteRange } from "../../schema/byte-range.ts";
import { errorReply } from "./error-reply.ts";
import { listening } from "./listen-problem.ts";
import {
  IDLE_TIMEOUT_S,
  type PieceServer,
  type PieceServerOptions,
  STOP_GRACE_MS,
  type UnixServer,
  type UnixServerOptions,
} from "./peer-servers.ts";
import { claimSocketPath } from "./socket-path.ts";

/** A command may follow a download that has nothing to say for long. Bun 1.4.5 takes this for unix sockets too, though
 *  its types do not say so; what it has for one request (`server.timeout`) does not hold before a streamed body begins. */
const NEVER_IDLE: object = { idleTimeout: 0 };
/** A belt above the limits of the routes, which answer in our own shape. */
const MAX_BODY_BYTES = 1024 * 1024;

/** A part of a file that the kernel sends by itself. */
export function bunFileRange(path: string, range: ByteRange): Blob {
  return Bun.file(path).slice(range.start, range.end);
}

/** @throws ProblemError as `PeerServers.servePieces` */
export async function servePieces(options: PieceServerOptions): Promise<PieceServer> {
  const { hostname, port, app } = options;
  const server = listening(`${hostname}:${port}`, "listen", () =>
    Bun.serve({
      hostname,
      port,
      development: false,
      // Bun 1.4.5 shares the port with any other process of the kind when `development` is false and this is not said.
      reusePort: false,
      idleTimeout: IDLE_TIMEOUT_S,
      maxRequestBodySize: MAX_BODY_BYTES,
      fetch: async (request) => wholeIfWhole(request, await app.fetch(request)),
      error: errorReply(options.reportError),
    }),
  );
  // Bun knows no address of a request that is over.
  app.uploads.watch({
    pending: () => server.pendingRequests,
    isPending: (request) => server.requestIP(request) !== null,
  });
  return {
    port: server.port ?? port,
    async stop() {
      const stopped = server.stop();
      app.close();
      const force = setTimeout(() => void server.stop(true), STOP_GRACE_MS);
      await stopped;
      clearTimeout(force);
    },
  };
}

/** @throws ProblemError as `PeerServers.serveUnix` */
export async function serveUnix(options: UnixServerOptions): Promise<UnixServer> {
  const { path } = options;
  const socket = await claimSocketPath(path);
  const server = socket.bind(() =>
    listening(path, "socket", () =>
      Bun.serve({
        unix: path,
        development: false,
        maxRequestBodySize: MAX_BODY_BYTES,
        ...NEVER_IDLE,
        fetch: options.fetch,
        error: errorReply(options.reportError),
      }),
    ),
  );
  // Bun removes the socket.
  return { stop: () => server.stop(true) };
}

/** Bun 1.4.5 answers a request with `Range` from any 200 that is a file by a range of its own, also where the range was
 *  to be ignored (`If-Range`): such a body goes out as a stream. */
function wholeIfWhole(request: Request, response: Response): Response {
  if (response.status !== 200 || !request.headers.has("range")) return response;
  return new Response(response.body, { status: 200, headers: response.headers });
}
