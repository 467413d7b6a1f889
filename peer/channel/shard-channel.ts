/** One host's channel to one shard: a WebSocket that comes back by itself, or POSTed batches where sockets are blocked.
 *  It keeps no backlog: after every reconnect the host states everything anew, so what could not be sent is not lost. */
import { problemOf } from "../../schema/problem.ts";
import { decodeSchedulerFrame, encodePeerFrame } from "../../schema/wire/codec.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { SchedulerMessage, SchedulerMessageOf } from "../../schema/wire/scheduler-message.ts";
import { backoffMs } from "./backoff.ts";

/** An open socket as the channel writes to it. */
export interface Socket {
  send(frame: Uint8Array<ArrayBuffer>): void;
  close(code: number, reason: string): void;
}

export interface SocketEvents {
  opened(): void;
  received(frame: Uint8Array): void;
  /** Called once, also when the socket never opened. */
  closed(code: number, reason: string): void;
}

export interface ChannelComponents {
  readonly openSocket: (events: SocketEvents) => Socket;
  /** Sends one frame by POST and gives the frame of the reply. @throws ProblemError */
  readonly post: (frame: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
  readonly random: () => number;
  readonly log: (level: "info" | "warn", event: string, fields: Record<string, unknown>) => void;
}

export interface ChannelHandler {
  hello(): PeerMessage;
  heartbeat(): PeerMessage;
  /** Everything this shard must know of this host's tasks. */
  restate(): PeerMessage[];
  receive(message: SchedulerMessage): void;
  welcomed(welcome: SchedulerMessageOf<"welcome">): void;
  /** Whether a task is running, so that a channel without socket asks often. */
  busy(): boolean;
}

/** Sockets that failed to open in a row before POST is tried. */
const SOCKET_ATTEMPTS_BEFORE_POST = 2;
const SOCKET_RETRY_WHILE_POSTING_MS = 60_000;
const WELCOME_TIMEOUT_MS = 10_000;
const DEFAULT_INTERVALS = { heartbeatIntervalMs: 30_000, progressIntervalMs: 200 };

export class ShardChannel {
  connected = false;
  lastError: string | null = null;
  #components: ChannelComponents;
  #handler: ChannelHandler;
  #intervals = DEFAULT_INTERVALS;
  #socket: Socket | undefined;
  #closed = false;
  #failures = 0;
  #posting = false;
  #pending: PeerMessage[] = [];
  #socketAgainAtMs: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;

  constructor(components: ChannelComponents, handler: ChannelHandler) {
    this.#components = components;
    this.#handler = handler;
    this.#connect();
  }

  /** Sends, or drops the messages when the channel is down. */
  send(messages: readonly PeerMessage[]): void {
    if (!this.connected || messages.length === 0) return;
    if (this.#posting) {
      this.#pending.push(...messages);
      this.#after(0, () => this.#exchange());
    } else {
      this.#socket?.send(encodePeerFrame(messages));
    }
  }

  /** Says goodbye as far as the connection allows. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const wasConnected = this.connected;
    this.#closed = true;
    this.#down();
    const bye: PeerMessage = { type: "bye" };
    if (wasConnected && this.#posting) {
      const frame = encodePeerFrame([this.#handler.hello(), bye]);
      await this.#components.post(frame).catch(() => undefined);
    } else if (wasConnected) {
      this.#socket?.send(encodePeerFrame([bye]));
    }
    this.#socket?.close(1000, "leaving");
  }

  #connect(): void {
    if (this.#closed) return;
    this.#posting = false;
    let opened = false;
    // A socket that opens but is never welcomed is as good as none.
    const welcomeTimer = setTimeout(() => socket.close(1000, "no welcome"), WELCOME_TIMEOUT_MS);
    const socket = this.#components.openSocket({
      opened: () => {
        opened = true;
        socket.send(encodePeerFrame([this.#handler.hello()]));
      },
      received: (frame) => {
        if (socket !== this.#socket) return;
        if (!this.connected) clearTimeout(welcomeTimer);
        this.#receive(frame);
      },
      closed: (code, reason) => {
        clearTimeout(welcomeTimer);
        if (socket === this.#socket) this.#lost(opened, code, reason);
      },
    });
    this.#socket = socket;
  }

  #lost(opened: boolean, code: number, reason: string): void {
    const wasConnected = this.connected;
    this.#down();
    this.#socket = undefined;
    if (this.#closed) return;
    this.#failures = wasConnected ? 0 : this.#failures + 1;
    this.lastError = reason === "" ? `the connection closed with code ${code}` : reason;
    this.#components.log(wasConnected ? "info" : "warn", "channel.lost", { code, reason: this.lastError });
    if (
      !opened &&
      this.#failures >= SOCKET_ATTEMPTS_BEFORE_POST &&
      this.#failures % SOCKET_ATTEMPTS_BEFORE_POST === 0
    ) {
      this.#posting = true;
      this.#after(0, () => this.#exchange());
      return;
    }
    this.#after(backoffMs(this.#failures, this.#components.random()), () => this.#connect());
  }

  #receive(frame: Uint8Array): void {
    let messages: SchedulerMessage[];
    try {
      messages = decodeSchedulerFrame(frame);
    } catch (error) {
      this.lastError = problemOf(error).message;
      this.#components.log("warn", "channel.bad-frame", { problem: this.lastError });
      return;
    }
    for (const message of messages) this.#handle(message);
  }

  #handle(message: SchedulerMessage): void {
    switch (message.type) {
      case "welcome":
        this.#welcome(message);
        return;
      case "resync":
        this.#reintroduce();
        return;
      case "error":
        this.lastError = message.problem.message;
        this.#components.log("warn", "channel.error", { problem: message.problem.message });
        return;
      default:
        this.#handler.receive(message);
    }
  }

  #welcome(welcome: SchedulerMessageOf<"welcome">): void {
    this.#intervals = welcome;
    this.#failures = 0;
    this.lastError = null;
    const first = !this.connected;
    this.connected = true;
    this.#handler.welcomed(welcome);
    if (!this.#posting) {
      clearInterval(this.#heartbeat);
      this.#heartbeat = setInterval(() => this.send([this.#handler.heartbeat()]), welcome.heartbeatIntervalMs);
    }
    // Without a socket every batch is welcomed; only the first calls for a statement.
    if (first || !this.#posting) this.#restate();
  }

  #restate(): void {
    // One frame a message: statements hold bitfields, and together they could pass the limit of a frame.
    for (const message of [this.#handler.heartbeat(), ...this.#handler.restate()]) this.send([message]);
  }

  /** The shard forgot this host: introduce it again; the welcome that follows calls for a statement. */
  #reintroduce(): void {
    if (this.#posting) {
      this.connected = false;
      this.#after(0, () => this.#exchange());
    } else {
      this.#socket?.send(encodePeerFrame([this.#handler.hello()]));
    }
  }

  async #exchange(): Promise<void> {
    if (this.#closed) return;
    const batch = [this.#handler.hello(), this.#handler.heartbeat(), ...this.#pending.splice(0, 512)];
    try {
      this.#receive(await this.#components.post(encodePeerFrame(batch)));
      this.#failures = 0;
    } catch (error) {
      this.#down();
      this.#failures++;
      this.lastError = problemOf(error).message;
      this.#components.log("warn", "channel.lost", { reason: this.lastError });
      this.#after(backoffMs(this.#failures, this.#components.random()), () => this.#connect());
      return;
    }
    this.#socketAgainAtMs ??= performance.now() + SOCKET_RETRY_WHILE_POSTING_MS;
    if (performance.now() > this.#socketAgainAtMs) {
      this.#socketAgainAtMs = undefined;
      this.#down();
      this.#connect();
      return;
    }
    const { progressIntervalMs, heartbeatIntervalMs } = this.#intervals;
    const quiet = this.#pending.length === 0 && !this.#handler.busy();
    this.#after(this.#pending.length > 0 ? 0 : quiet ? heartbeatIntervalMs : progressIntervalMs, () =>
      this.#exchange(),
    );
  }

  #down(): void {
    this.connected = false;
    this.#pending = [];
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
  }

  #after(delayMs: number, act: () => void | Promise<void>): void {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => void act(), delayMs);
  }
}
