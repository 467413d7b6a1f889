/** The WebSocket of a channel. The shard answers each heartbeat with an empty frame, after all that was said before it:
 *  by that this side knows that the line is alive, and never says more ahead than the shard can hold. */
import { decodeSchedulerFrame, encodePeerFrame } from "../../schema/wire/codec.ts";
import { framesOf } from "../../schema/wire/frames.ts";
import type { SchedulerMessage, SchedulerMessageOf } from "../../schema/wire/scheduler-message.ts";
import type { Line, LineComponents } from "./line.ts";

/** An open socket as the channel writes to it. */
export interface Socket {
  send(frame: Uint8Array<ArrayBuffer>): void;
  /** Calls `closed` at once, whatever the other side does. */
  close(code: number, reason: string): void;
}

export interface SocketEvents {
  opened(): void;
  received(frame: Uint8Array): void;
  /** Called once, also when the socket never opened. */
  closed(code: number, reason: string): void;
}

export interface SocketLineComponents extends LineComponents {
  readonly openSocket: (events: SocketEvents) => Socket;
}

const WELCOME_TIMEOUT_MS = 10_000;
/** Heartbeats in a row without any sound from the shard after which the line counts as dead. */
const SILENT_HEARTBEATS = 2;
/** Said ahead of the answer to a heartbeat at most, but for one slice. */
const WINDOW_BYTES = 1024 * 1024;
const WINDOW_FRAMES = 128;

export class SocketLine implements Line {
  #components: SocketLineComponents;
  #socket: Socket;
  #opened = false;
  #over = false;
  /** A hello is on its way; nothing is said before its answer. */
  #introducing = true;
  #welcomeTimer: ReturnType<typeof setTimeout> | undefined;
  #heartbeatTimer: ReturnType<typeof setInterval> | undefined;
  #silentHeartbeats = 0;
  #unansweredHeartbeats = 0;
  /** Since the last answer that left no heartbeat open. */
  #saidBytes = 0;
  #saidFrames = 0;

  constructor(components: SocketLineComponents) {
    this.#components = components;
    this.#awaitWelcome();
    this.#socket = components.openSocket({
      opened: () => {
        this.#opened = true;
        if (!this.#over) this.#socket.send(encodePeerFrame([components.hello()]));
      },
      received: (frame) => this.#receive(frame),
      closed: (code, reason) => this.#closed(code, reason),
    });
  }

  introduce(): void {
    if (this.#introducing) return;
    this.#introducing = true;
    this.#awaitWelcome();
    this.#socket.send(encodePeerFrame([this.#components.hello()]));
  }

  welcomed({ heartbeatIntervalMs }: SchedulerMessageOf<"welcome">): void {
    this.#introducing = false;
    clearTimeout(this.#welcomeTimer);
    clearInterval(this.#heartbeatTimer);
    this.#heartbeatTimer = setInterval(() => this.#keepAlive(heartbeatIntervalMs), heartbeatIntervalMs);
    this.#beat();
    this.flush();
  }

  flush(): void {
    const { unsaid } = this.#components;
    while (!this.#over && !this.#introducing && !this.#isHeldUp && !unsaid.isEmpty) {
      for (const frame of framesOf(unsaid.take(), encodePeerFrame)) {
        this.#socket.send(frame);
        this.#saidBytes += frame.length;
        this.#saidFrames++;
      }
      if (this.#isWindowFull) this.#beat();
    }
  }

  drop(): void {
    this.#finish();
    this.#socket.close(1000, "leaving");
  }

  async leave(): Promise<void> {
    this.#finish();
    this.#socket.send(encodePeerFrame([{ type: "bye" }]));
    this.#socket.close(1000, "leaving");
  }

  get #isWindowFull(): boolean {
    return this.#saidBytes >= WINDOW_BYTES || this.#saidFrames >= WINDOW_FRAMES;
  }

  get #isHeldUp(): boolean {
    return this.#unansweredHeartbeats > 0 && this.#isWindowFull;
  }

  /** A socket that is never welcomed is as good as none. */
  #awaitWelcome(): void {
    clearTimeout(this.#welcomeTimer);
    this.#welcomeTimer = setTimeout(() => this.#socket.close(1000, "no welcome"), WELCOME_TIMEOUT_MS);
  }

  #keepAlive(intervalMs: number): void {
    if (this.#silentHeartbeats >= SILENT_HEARTBEATS) {
      const silentMs = SILENT_HEARTBEATS * intervalMs;
      this.#socket.close(1000, `the scheduler has been silent for ${silentMs / 1000} s`);
      return;
    }
    this.#silentHeartbeats++;
    this.#beat();
  }

  #beat(): void {
    this.#unansweredHeartbeats++;
    this.#socket.send(encodePeerFrame([this.#components.heartbeat()]));
  }

  #receive(frame: Uint8Array): void {
    if (this.#over) return;
    this.#silentHeartbeats = 0;
    let messages: SchedulerMessage[];
    try {
      messages = decodeSchedulerFrame(frame);
    } catch (error) {
      this.#components.misread(error);
      return;
    }
    if (messages.length === 0) this.#heartbeatAnswered();
    for (const message of messages) if (!this.#over) this.#components.received(message);
  }

  #heartbeatAnswered(): void {
    this.#unansweredHeartbeats = Math.max(0, this.#unansweredHeartbeats - 1);
    if (this.#unansweredHeartbeats > 0) return;
    this.#saidBytes = 0;
    this.#saidFrames = 0;
    this.flush();
  }

  #closed(code: number, reason: string): void {
    if (this.#over) return;
    this.#finish();
    this.#components.ended({
      code,
      reason: reason === "" ? `the connection closed with code ${code}` : reason,
      opened: this.#opened,
    });
  }

  #finish(): void {
    this.#over = true;
    clearTimeout(this.#welcomeTimer);
    clearInterval(this.#heartbeatTimer);
  }
}
