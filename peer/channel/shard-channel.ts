/** One host's channel to one shard: a WebSocket that comes back by itself, or POSTed batches where sockets are blocked.
 *  It keeps no backlog: after every reconnect the host states everything anew, so what could not be sent is not lost. */

import type { TaskId } from "../../schema/ids.ts";
import type { Log } from "../../schema/log.ts";
import { problemOf } from "../../schema/problem.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { SchedulerMessage, SchedulerMessageOf } from "../../schema/wire/scheduler-message.ts";
import { backoffMs } from "./backoff.ts";
import type { Line, LineComponents, LineEnd } from "./line.ts";
import { PostLine } from "./post-line.ts";
import { type Socket, type SocketEvents, SocketLine } from "./socket-line.ts";
import { Unsaid } from "./unsaid.ts";

export interface ChannelComponents {
  readonly openSocket: (events: SocketEvents) => Socket;
  /** Sends one frame by POST and gives the frame of the reply. @throws ProblemError */
  readonly post: (frame: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
  readonly random: () => number;
  readonly log: Log;
}

export interface ChannelHandler {
  hello(): PeerMessage;
  heartbeat(): PeerMessage;
  /** Every task this shard must know of, those that matter most first. */
  tasks(): Iterable<TaskId>;
  /** States a task as it is now; `undefined` when this host has no part in it any more. */
  announcement(taskId: TaskId): PeerMessage | undefined;
  receive(message: SchedulerMessage): void;
  /** May close this channel. */
  welcomed(welcome: SchedulerMessageOf<"welcome">): void;
  /** Neither way led to the shard. May close this channel. */
  unreachable(): void;
  /** Whether a task is running, so that a channel without socket asks often. */
  busy(): boolean;
}

/** Sockets that failed to open in a row before POST is tried. */
export const SOCKET_ATTEMPTS_BEFORE_POST = 2;
/** A channel that lived for less was no success: the wait before the next attempt goes on growing. */
const STABLE_AFTER_MS = 10_000;
/** What may wait for a shard that takes it slowly. The digests of a task with 2^20 pieces are 32 MiB. */
const MAX_UNSAID_BYTES = 64 * 1024 * 1024;

export class ShardChannel {
  connected = false;
  lastError: string | null = null;
  #components: ChannelComponents;
  #handler: ChannelHandler;
  #unsaid: Unsaid;
  #line: Line | undefined;
  #closed = false;
  /** Ends in a row of lines that did not live long. */
  #failures = 0;
  /** Sockets in a row that did not open. */
  #unopened = 0;
  /** What the shard said instead of a welcome. */
  #refusal: string | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #stableTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(components: ChannelComponents, handler: ChannelHandler) {
    this.#components = components;
    this.#handler = handler;
    this.#unsaid = new Unsaid((taskId) => handler.announcement(taskId));
    this.#connect();
  }

  /** Sends, or drops the messages when the channel is down. */
  send(messages: readonly PeerMessage[]): void {
    if (!this.connected || messages.length === 0) return;
    this.#unsaid.put(messages);
    if (this.#unsaid.bytes <= MAX_UNSAID_BYTES) {
      this.#line?.flush();
      return;
    }
    this.#line?.drop();
    this.#lost({ reason: `more than ${MAX_UNSAID_BYTES} bytes wait for the scheduler`, opened: true });
  }

  /** Says goodbye as far as the connection allows. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const wasConnected = this.connected;
    const line = this.#end();
    if (wasConnected) await line?.leave();
    else line?.drop();
  }

  /** Ends without a word: this shard has nothing to do with this host any more. */
  abandon(): void {
    if (!this.#closed) this.#end()?.drop();
  }

  #end(): Line | undefined {
    const line = this.#line;
    this.#closed = true;
    this.#down();
    return line;
  }

  #connect(): void {
    this.#line = new SocketLine({
      ...this.#forLines(),
      openSocket: this.#components.openSocket,
      ended: (end) => this.#socketEnded(end),
    });
  }

  #post(): void {
    this.#line = new PostLine({
      ...this.#forLines(),
      post: this.#components.post,
      busy: () => this.#handler.busy(),
      socketDue: () => {
        this.#down();
        this.#connect();
      },
      ended: (end) => {
        this.#lost(end);
        if (!this.#closed) this.#handler.unreachable();
      },
    });
  }

  #forLines(): Omit<LineComponents, "ended"> {
    return {
      unsaid: this.#unsaid,
      hello: () => this.#handler.hello(),
      heartbeat: () => this.#handler.heartbeat(),
      received: (message) => this.#receive(message),
      misread: (error) => {
        this.lastError = problemOf(error).message;
        this.#components.log("warn", "channel.bad-frame", { problem: this.lastError });
      },
    };
  }

  #socketEnded(end: LineEnd): void {
    this.#unopened = end.opened ? 0 : this.#unopened + 1;
    this.#lost(end);
    if (this.#unopened === 0 || this.#unopened % SOCKET_ATTEMPTS_BEFORE_POST !== 0) return;
    clearTimeout(this.#retryTimer);
    this.#post();
  }

  #lost({ code, reason }: LineEnd): void {
    const wasConnected = this.connected;
    this.#down();
    this.lastError = this.#refusal ?? reason;
    const retryInMs = Math.round(backoffMs(this.#failures++, this.#components.random()));
    this.#components.log(wasConnected ? "info" : "warn", "channel.lost", { code, reason: this.lastError, retryInMs });
    this.#refusal = undefined;
    this.#retryTimer = setTimeout(() => this.#connect(), retryInMs);
  }

  #receive(message: SchedulerMessage): void {
    switch (message.type) {
      case "welcome":
        this.#welcome(message);
        return;
      case "resync":
        // The shard forgot this host.
        this.#restate();
        this.#line?.introduce();
        return;
      case "error":
        this.lastError = message.problem.message;
        if (!this.connected) this.#refusal = message.problem.message;
        this.#components.log("warn", "channel.error", { problem: message.problem.message });
        return;
      default:
        this.#handler.receive(message);
    }
  }

  #welcome(welcome: SchedulerMessageOf<"welcome">): void {
    this.#handler.welcomed(welcome);
    if (this.#closed) return;
    this.lastError = null;
    if (!this.connected) {
      this.connected = true;
      this.#unopened = 0;
      this.#stableTimer = setTimeout(() => {
        this.#failures = 0;
      }, STABLE_AFTER_MS);
      this.#restate();
    }
    this.#line?.welcomed(welcome);
  }

  #restate(): void {
    this.#unsaid.restate(this.#handler.tasks());
  }

  #down(): void {
    this.connected = false;
    this.#line = undefined;
    this.#unsaid.clear();
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#stableTimer);
  }
}
