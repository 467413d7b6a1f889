/** The servers of a peer on Deno. */
import { open } from "node:fs/promises";
import type { ByteRange } from "../../schema/byte-range.ts";
import { readFully } from "../store/file-io.ts";
import { type DenoServeOptions, type DenoServer, deno } from "./deno-names.ts";
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
import { unlessIdle } from "./unless-idle.ts";

/** Large enough that a read costs little beside what it brings. */
const READ_BYTES = 256 * 1024;

/** A part of a file, read as the other side takes it: Deno has no way to leave that to the kernel. */
export function denoFileRange(path: string, range: ByteRange): ReadableStream<Uint8Array<ArrayBuffer>> {
  const chunks = chunksOfFile(path, range);
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        const next = await chunks.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      cancel: async () => void (await chunks.return(undefined)),
    },
    { highWaterMark: 0 },
  );
}

/** @throws ProblemError as `PeerServers.servePieces` */
export async function servePiecesOnDeno(options: PieceServerOptions): Promise<PieceServer> {
  const { hostname, port, app } = options;
  const pending = new Set<Request>();
  app.uploads.watch({ pending: () => pending.size, isPending: (request) => pending.has(request) });
  const force = new AbortController();
  const server = listening(`${hostname}:${port}`, "listen", () =>
    serve({ hostname, port, signal: force.signal, reportError: options.reportError }, async (request, completed) => {
      pending.add(request);
      void completed.finally(() => pending.delete(request));
      const { body, status, headers } = await app.fetch(request);
      // What is idle between two requests Deno keeps for as long as the other side does.
      return new Response(body && unlessIdle(body, IDLE_TIMEOUT_S * 1000), { status, headers });
    }),
  );
  return {
    port: server.addr.port ?? port,
    async stop() {
      const stopped = server.shutdown();
      app.close();
      const timer = setTimeout(() => force.abort(), STOP_GRACE_MS);
      await stopped;
      clearTimeout(timer);
    },
  };
}

/** @throws ProblemError as `PeerServers.serveUnix` */
export async function serveUnixOnDeno(options: UnixServerOptions): Promise<UnixServer> {
  const { path, fetch, reportError } = options;
  const socket = await claimSocketPath(path);
  const stop = new AbortController();
  const server = socket.bind(() =>
    listening(path, "socket", () =>
      serve({ path, signal: stop.signal, reportError }, async (request) => await fetch(request)),
    ),
  );
  return {
    // Deno removes the socket.
    stop: async () => {
      stop.abort();
      await server.finished;
    },
  };
}

/** @param answer `completed` resolves when the other side has the answer, or has gone */
function serve(
  where: Pick<DenoServeOptions, "hostname" | "port" | "path" | "signal"> & {
    readonly reportError: PieceServerOptions["reportError"] | undefined;
  },
  answer: (request: Request, completed: Promise<void>) => Promise<Response>,
): DenoServer {
  const { reportError, ...address } = where;
  const options = { ...address, onListen: () => {}, onError: errorReply(reportError) };
  return deno().serve(options, async (request, { completed }) => {
    const gone = new AbortController();
    // Deno's own signal aborts after each answer, also one that came whole (2.9).
    Object.defineProperty(request, "signal", { value: gone.signal });
    const over = completed.catch(() => gone.abort(new Error("the other side has gone")));
    return await answer(request, over);
  });
}

async function* chunksOfFile(path: string, range: ByteRange): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  await using file = await open(path);
  for (let at = range.start; at < range.end; ) {
    const bytes = new Uint8Array(Math.min(READ_BYTES, range.end - at));
    await readFully(file.fd, bytes, at);
    at += bytes.length;
    yield bytes;
  }
}
