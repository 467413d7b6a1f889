/** The HTTP servers of a peer on Bun: the piece port for other peers, and the unix socket for commands on this machine. */
import type { ByteRange } from "../../schema/byte-range.ts";
import { PROBLEM_STATUS, problemOf } from "../../schema/problem.ts";
import type { PieceApp } from "../serve/piece-app.ts";
import { listenProblem } from "./listen-problem.ts";
import { claimSocketPath } from "./socket-path.ts";

/** Longer than any wait for news (30 s); a child that takes nothing for this long is cut off. */
const IDLE_TIMEOUT_S = 45;
/** A command may follow a download that has nothing to say for long. Bun 1.4.5 takes this for unix sockets too, though
 *  its types do not say so; what it has for one request (`server.timeout`) does not hold before a streamed body begins. */
const NEVER_IDLE: object = { idleTimeout: 0 };
/** Pieces being sent when the server stops may take this long. */
const STOP_GRACE_MS = 5000;
/** A belt above the limits of the routes, which answer in our own shape. */
const MAX_BODY_BYTES = 1024 * 1024;

export interface PieceServerOptions {
  readonly hostname: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly app: PieceApp;
  /** Told about bugs, which the other side sees as `internal`; prints them by default. */
  readonly reportError?: (error: unknown) => void;
}

export interface PieceServer {
  readonly port: number;
  /** Refuses new requests, lets pieces under way end for a few seconds, then closes every connection. */
  stop(): Promise<void>;
}

/** A part of a file that the kernel sends by itself. */
export function bunFileRange(path: string, range: ByteRange): Blob {
  return Bun.file(path).slice(range.start, range.end);
}

/** @throws ProblemError, naming address and setting: `in-use` when another process listens there, `conflict` when it
 *  cannot listen for another reason. */
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
  app.uploads.watch(() => server.pendingRequests);
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

/** Serves on a unix socket that only this user can open (mode 0600).
 *  @throws ProblemError `bad-request` when the path is too long or is another file, `in-use` when a running process
 *  serves there, `conflict` when it cannot listen for another reason. */
export async function serveUnix(options: {
  readonly path: string;
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** As for `servePieces`. */
  readonly reportError?: (error: unknown) => void;
}): Promise<{ stop(): Promise<void> }> {
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

function listening<Server>(where: string, setting: string, listen: () => Server): Server {
  try {
    return listen();
  } catch (cause) {
    throw listenProblem(where, setting, cause);
  }
}

function errorReply(reportError: ((error: unknown) => void) | undefined): (error: Error) => Response {
  const report = reportError ?? ((error: unknown) => console.error(error));
  return (error) => {
    report(error);
    const problem = problemOf(error);
    return Response.json(problem, { status: PROBLEM_STATUS[problem.code] });
  };
}
