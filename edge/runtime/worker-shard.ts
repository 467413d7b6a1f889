/** One shard as a Durable Object: its memory in the object's SQLite, its channels WebSockets that survive hibernation. */
import { DurableObject } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/durable-sqlite";
import { type HostId, parseHostId } from "../../schema/ids.ts";
import { signTicket, ticketKeyOf } from "../../schema/ticket.ts";
import type { TaskExplanation } from "../../schema/wire/explain.ts";
import type {
  HostDetail,
  HostQuery,
  HostSummary,
  Stats,
  TaskDetail,
  TaskQuery,
  TaskSummary,
} from "../../schema/wire/query.ts";
import { DEFAULT_POLICY } from "../core/policy.ts";
import { type ChannelSession, ShardActor } from "../shard/actor.ts";
import type { Channel, Shard } from "../shard/shard.ts";
import { migrate } from "../store/migrate.ts";
import { sqlDirectory } from "../store/sql.ts";
import { closeReason } from "./close-reason.ts";
import { consoleLog } from "./worker-log.ts";
import { workerSettingsOf } from "./worker-settings.ts";

export interface Env {
  readonly SHARD: DurableObjectNamespace<SchedulerShard>;
  readonly PANTALA_TOKEN?: string;
  readonly PANTALA_SHARDS?: string;
  readonly PANTALA_OPEN_QUERIES?: string;
  readonly PANTALA_TASK_SOURCE_RATE?: string;
}

/** The count is part of the name because it decides which tasks and hosts belong to an object. */
export function shardName(shard: number, shardCount: number): string {
  return `${shard}-of-${shardCount}`;
}

/** Deadlines nearer than this have a timer, which costs nothing: an object is awake for 10 s after whatever happened last. */
const SOON_MS = 1000;

export class SchedulerShard extends DurableObject<Env> implements Shard {
  readonly #actor: Promise<ShardActor>;
  readonly #sessions = new WeakMap<WebSocket, ChannelSession>();
  #alarmAtMs: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#actor = ctx.blockConcurrencyWhile(() => this.#start());
  }

  /** Opens a channel. The Worker checked the authority; nobody else reaches this object. */
  override async fetch(): Promise<Response> {
    const actor = await this.#actor;
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    this.#sessions.set(server, actor.open(channelOf(server)));
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, message: ArrayBuffer | string): Promise<void> {
    const session = await this.#sessionOf(socket);
    const knownBefore = session.hostId;
    await session.receive(typeof message === "string" ? new TextEncoder().encode(message) : new Uint8Array(message));
    if (session.hostId !== undefined && session.hostId !== knownBefore) {
      socket.serializeAttachment({ hostId: session.hostId });
    }
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    await (await this.#sessionOf(socket)).closed();
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await (await this.#sessionOf(socket)).closed();
  }

  override async alarm(): Promise<void> {
    const actor = await this.#actor;
    this.#alarmAtMs = undefined;
    await actor.tick();
  }

  async exchange(frame: Uint8Array): Promise<Uint8Array> {
    return await (await this.#actor).exchange(frame);
  }

  async tasks(query: TaskQuery): Promise<TaskSummary[]> {
    return await (await this.#actor).tasks(query);
  }

  async task(taskId: string): Promise<TaskDetail | undefined> {
    return await (await this.#actor).task(taskId);
  }

  async explain(taskId: string): Promise<TaskExplanation | undefined> {
    return await (await this.#actor).explain(taskId);
  }

  async hosts(query: HostQuery): Promise<HostSummary[]> {
    return await (await this.#actor).hosts(query);
  }

  async host(hostId: string): Promise<HostDetail | undefined> {
    return await (await this.#actor).host(hostId);
  }

  async stats(): Promise<Stats> {
    return await (await this.#actor).stats();
  }

  async #start(): Promise<ShardActor> {
    const { token, shardCount, taskSourceBps } = workerSettingsOf(this.env);
    const key = await ticketKeyOf(token);
    const db = drizzle(this.ctx.storage);
    await migrate(db);
    this.#alarmAtMs = (await this.ctx.storage.getAlarm()) ?? undefined;
    const components = {
      directory: sqlDirectory(db, () => {}),
      signTicket: (ticket: Parameters<typeof signTicket>[1]) => signTicket(key, ticket, Date.now()),
      nowMs: () => Date.now(),
      random: () => Math.random(),
      log: consoleLog,
      wakeAt: (atMs: number | undefined) => this.#wakeAt(atMs),
    };
    const policy = { ...DEFAULT_POLICY, sourceBpsPerTask: taskSourceBps };
    const actor = await ShardActor.start(components, { shard: this.#number(shardCount), shardCount, policy });
    for (const socket of this.ctx.getWebSockets()) this.#sessions.set(socket, resumed(actor, socket));
    return actor;
  }

  /** Which of the shards this object is: an id does not tell its name after every kind of wake-up, but equals its own. */
  #number(shardCount: number): number {
    for (let shard = 0; shard < shardCount; shard++) {
      if (this.env.SHARD.idFromName(shardName(shard, shardCount)).equals(this.ctx.id)) return shard;
    }
    throw new Error(`This object is none of the ${shardCount} shards`);
  }

  async #sessionOf(socket: WebSocket): Promise<ChannelSession> {
    const actor = await this.#actor;
    const known = this.#sessions.get(socket);
    if (known !== undefined) return known;
    const session = resumed(actor, socket);
    this.#sessions.set(socket, session);
    return session;
  }

  /** Near deadlines, some ten a second while a herd reads its source, have a timer. One alarm serves all far ones: an early
   *  one looks again. Setting it is a row written, so it is not moved back. */
  #wakeAt(atMs: number | undefined): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    if (atMs === undefined) return;
    const waitMs = atMs - Date.now();
    if (waitMs < SOON_MS) {
      const tick = async () => await (await this.#actor).tick();
      this.#timer = setTimeout(() => this.ctx.waitUntil(tick()), Math.max(0, waitMs));
      return;
    }
    if (this.#alarmAtMs !== undefined && this.#alarmAtMs <= atMs) return;
    this.#alarmAtMs = atMs;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(atMs));
  }
}

/** The session of a socket that was here before the object was: it said who it is, or has yet to. */
function resumed(actor: ShardActor, socket: WebSocket): ChannelSession {
  const hostId = hostIdOf(socket);
  return hostId === undefined ? actor.open(channelOf(socket)) : actor.resume(channelOf(socket), hostId);
}

function hostIdOf(socket: WebSocket): HostId | undefined {
  const attachment: unknown = socket.deserializeAttachment();
  const isRecord = typeof attachment === "object" && attachment !== null && "hostId" in attachment;
  return isRecord && typeof attachment.hostId === "string" ? parseHostId(attachment.hostId) : undefined;
}

function channelOf(socket: WebSocket): Channel {
  const whileOpen = (use: () => void) => {
    if (socket.readyState === WebSocket.OPEN) use();
  };
  return {
    send: (frame) => whileOpen(() => socket.send(frame)),
    close: (code, reason) => whileOpen(() => socket.close(code, closeReason(reason))),
  };
}
