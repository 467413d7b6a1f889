/** The scheduler in one Bun process: every shard an object, its memory in libSQL. */

import { mkdir } from "node:fs/promises";
import type { Server, ServerWebSocket } from "bun";
import type { Log } from "../../schema/log.ts";
import { ProblemError } from "../../schema/problem.ts";
import { signTicket, ticketKeyOf } from "../../schema/ticket.ts";
import { VERSION } from "../../schema/version.ts";
import { MAX_FRAME_BYTES } from "../../schema/wire/codec.ts";
import { DEFAULT_POLICY } from "../core/policy.ts";
import { createApp } from "../http/app.ts";
import { type ChannelSession, ShardActor } from "../shard/actor.ts";
import type { Channel } from "../shard/shard.ts";
import type { Directory } from "../store/directory.ts";
import { libsqlDirectory } from "../store/libsql.ts";
import { closeReason } from "./close-reason.ts";
import type { EdgeSettings } from "./load-settings.ts";

/** Bun pings in between; a host that is gone without a word is noticed after this long. */
const IDLE_TIMEOUT_S = 120;
/** A host that does not read is cut off before it fills our memory; it comes back and states everything anew. The longest
 *  list of digests, of a task with 2^20 pieces, is 32 MiB. */
const MAX_UNSENT_BYTES = 64 * 1024 * 1024;
/** Longest `setTimeout` takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface ChannelData {
  readonly shard: number;
  session: ChannelSession | undefined;
}
type Socket = ServerWebSocket<ChannelData>;

export interface RunningScheduler {
  readonly url: string;
  /** Resolves when it cannot go on: another scheduler took its database. */
  readonly lost: Promise<ProblemError>;
  /** Closes every channel (1012: the service restarts) and the databases. */
  stop(): Promise<void>;
}

/** @throws ProblemError when the port is taken or the database cannot be used. */
export async function startScheduler(settings: EdgeSettings, log: Log): Promise<RunningScheduler> {
  const scheduler = new BunScheduler(settings, log);
  try {
    await scheduler.start();
  } catch (error) {
    await scheduler.stop();
    throw error;
  }
  return scheduler;
}

class BunScheduler implements RunningScheduler {
  readonly #settings: EdgeSettings;
  readonly #log: Log;
  readonly #directories: Directory[] = [];
  readonly #actors: ShardActor[] = [];
  readonly #timers = new Map<number, Timer>();
  readonly #sockets = new Set<Socket>();
  /** Requests wait for it: the port is taken before the databases are, so that whoever is late hears about the port. */
  readonly #app = Promise.withResolvers<ReturnType<typeof createApp>>();
  readonly #lost = Promise.withResolvers<ProblemError>();
  #server: Server<ChannelData> | undefined;

  constructor(settings: EdgeSettings, log: Log) {
    this.#settings = settings;
    this.#log = log;
  }

  get url(): string {
    return this.#server?.url.origin ?? "";
  }

  get lost(): Promise<ProblemError> {
    return this.#lost.promise;
  }

  async start(): Promise<void> {
    const settings = this.#settings;
    const server = this.#listen();
    this.#server = server;
    await makeFolder(settings.dataDir);
    const key = await ticketKeyOf(settings.token);
    for (const [shard, place] of settings.places.entries()) {
      const directory = await libsqlDirectory(place, { log: this.#log, onLost: this.#lost.resolve });
      this.#directories.push(directory);
      const components = {
        directory,
        signTicket: (ticket: Parameters<typeof signTicket>[1]) => signTicket(key, ticket, Date.now()),
        nowMs: () => Date.now(),
        random: () => Math.random(),
        log: this.#log,
        wakeAt: (atMs: number | undefined) => this.#wakeAt(shard, atMs),
      };
      const policy = { ...DEFAULT_POLICY, sourceBpsPerTask: settings.taskSourceBps };
      this.#actors.push(await ShardActor.start(components, { shard, shardCount: settings.places.length, policy }));
    }
    const connect = (request: Request, shard: number) => {
      const data: ChannelData = { shard, session: undefined };
      // Bun has answered the request by then; this answer is dropped.
      if (server.upgrade(request, { data })) return new Response(null);
      throw new ProblemError("bad-request", "The WebSocket handshake is not complete: Sec-WebSocket-Key is missing");
    };
    const { token, openQueries } = settings;
    this.#app.resolve(
      createApp({ shards: this.#actors, token, openQueries, connect, log: this.#log, version: VERSION }),
    );
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const socket of this.#sockets) socket.close(1012, "The scheduler stops");
    await this.#server?.stop(true);
    for (const actor of this.#actors) await actor.settled();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const directory of this.#directories) await directory.close();
  }

  #listen(): Server<ChannelData> {
    const { hostname, port } = this.#settings.listen;
    try {
      return Bun.serve<ChannelData>({
        hostname,
        port,
        fetch: async (request) => await (await this.#app.promise).fetch(whole(request)),
        websocket: {
          maxPayloadLength: MAX_FRAME_BYTES,
          idleTimeout: IDLE_TIMEOUT_S,
          perMessageDeflate: false,
          backpressureLimit: MAX_UNSENT_BYTES,
          closeOnBackpressureLimit: true,
          open: (socket) => {
            this.#sockets.add(socket);
            socket.data.session = this.#actors[socket.data.shard]?.open(channelOf(socket));
          },
          message: (socket, message) => {
            const frame = typeof message === "string" ? new TextEncoder().encode(message) : message;
            void socket.data.session?.receive(frame);
          },
          close: (socket) => {
            this.#sockets.delete(socket);
            void socket.data.session?.closed();
          },
        },
      });
    } catch (cause) {
      throw listenProblem(hostname, port, cause);
    }
  }

  #wakeAt(shard: number, atMs: number | undefined): void {
    clearTimeout(this.#timers.get(shard));
    this.#timers.delete(shard);
    if (atMs === undefined) return;
    const wake = () => void this.#actors[shard]?.tick();
    this.#timers.set(shard, setTimeout(wake, Math.min(Math.max(0, atMs - Date.now()), MAX_TIMER_MS)));
  }
}

/** A HEAD request becomes a GET: Bun keeps the body back by itself, and tells the length of the one it is given. */
function whole(request: Request): Request {
  return request.method === "HEAD" ? new Request(request, { method: "GET" }) : request;
}

function channelOf(socket: Socket): Channel {
  return {
    send: (frame) => void socket.sendBinary(frame),
    close: (code, reason) => socket.close(code, closeReason(reason)),
  };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ProblemError("store-failed", `Cannot make the data folder: ${why}. Name another with --data-dir`, {
      cause,
    });
  }
}

function listenProblem(hostname: string, port: number, cause: unknown): ProblemError {
  const where = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  if (cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE") {
    const message = `Cannot listen on ${where}: another program listens there. Stop that one, or choose another port with --listen`;
    return new ProblemError("in-use", message, { cause });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ProblemError("conflict", `Cannot listen on ${where}: ${why}. Choose another address with --listen`, {
    cause,
  });
}
