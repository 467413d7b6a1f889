/** One connection of one host, from its first frame to its end. */
import type { HostId } from "../../schema/ids.ts";
import { isProblemError, type Problem } from "../../schema/problem.ts";
import { decodePeerFrame, encodeSchedulerFrame } from "../../schema/wire/codec.ts";
import { framesOf } from "../../schema/wire/frames.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { SchedulerMessage } from "../../schema/wire/scheduler-message.ts";
import type { Channel } from "./shard.ts";

export interface ChannelSession {
  /** Who speaks; `undefined` before its `hello`. A runtime that may evict this object keeps it beside the connection. */
  readonly hostId: HostId | undefined;
  /** Handles one frame; resolves when all that follows from it is written and sent, which may be at once: then there is no
   *  promise. Never rejects. */
  receive(frame: Uint8Array): Promise<void> | undefined;
  closed(): Promise<void> | undefined;
}

/** What a session asks of its shard. */
export interface SessionHandler {
  heard(session: Session, messages: readonly PeerMessage[]): Promise<void> | undefined;
  closed(session: Session): Promise<void> | undefined;
  /** What a host said was not taken. */
  refused(code: string): void;
}

/** Close codes, see `Channel`. */
const BROKEN = 1008;
const TOO_LONG = 1009;
const REPLACED = 4001;

/** Frames of one host that may wait while the shard is busy. A peer says no more than about 2 MiB in 256 frames ahead of
 *  the answers to its heartbeats. */
const MAX_WAITING_FRAMES = 1024;
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
const NOTHING = encodeSchedulerFrame([]);

export class Session implements ChannelSession {
  hostId: HostId | undefined;
  /** It was told to state everything anew, and has not said hello since. */
  resyncAsked = false;
  #channel: Channel;
  #handler: SessionHandler;
  /** Frames can be sent. */
  #open = true;
  /** We hung up: what this side still says does not count. */
  #ended = false;
  #waitingFrames = 0;
  #waitingBytes = 0;

  constructor(channel: Channel, handler: SessionHandler, hostId?: HostId) {
    this.#channel = channel;
    this.#handler = handler;
    this.hostId = hostId;
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  receive(frame: Uint8Array): Promise<void> | undefined {
    if (!this.#open) return undefined;
    if (this.#waitingFrames >= MAX_WAITING_FRAMES || this.#waitingBytes + frame.length > MAX_WAITING_BYTES) {
      this.#handler.refused("too-many-requests");
      return this.#end(BROKEN, "too many frames wait: send fewer");
    }
    const messages = decoded(frame);
    if (!Array.isArray(messages)) return this.fail(messages);
    const taken = this.#handler.heard(this, messages);
    if (taken !== undefined) return this.#answerAfter(taken, frame.length, messages);
    this.#answer(messages);
    return undefined;
  }

  closed(): Promise<void> | undefined {
    this.#open = false;
    return this.#handler.closed(this);
  }

  send(messages: readonly SchedulerMessage[]): void {
    for (const frame of framesOf(messages, encodeSchedulerFrame)) this.sendFrame(frame);
  }

  sendFrame(frame: Uint8Array): void {
    if (this.#open) this.#channel.send(frame);
  }

  /** Tells what was wrong and hangs up. */
  fail(problem: Problem): Promise<void> | undefined {
    if (!this.#open) return undefined;
    this.#handler.refused(problem.code);
    this.#channel.send(encodeSchedulerFrame([{ type: "error", problem }]));
    return this.#end(problem.code === "body-too-large" ? TOO_LONG : BROKEN, problem.code);
  }

  replaced(): void {
    this.#hangUp(REPLACED, "replaced by a newer channel of this host");
  }

  async #answerAfter(taken: Promise<void>, bytes: number, messages: readonly PeerMessage[]): Promise<void> {
    this.#waitingFrames++;
    this.#waitingBytes += bytes;
    await taken;
    this.#waitingFrames--;
    this.#waitingBytes -= bytes;
    this.#answer(messages);
  }

  /** The host learns that the line is alive, and that what it said so far does not wait here any more. */
  #answer(messages: readonly PeerMessage[]): void {
    if (messages.some((message) => message.type === "heartbeat")) this.sendFrame(NOTHING);
  }

  #end(code: number, reason: string): Promise<void> | undefined {
    this.#hangUp(code, reason);
    return this.#handler.closed(this);
  }

  #hangUp(code: number, reason: string): void {
    this.#ended = true;
    if (!this.#open) return;
    this.#open = false;
    this.#channel.close(code, reason);
  }
}

function decoded(frame: Uint8Array): PeerMessage[] | Problem {
  try {
    return decodePeerFrame(frame);
  } catch (error) {
    if (isProblemError(error)) return error.toProblem();
    return { code: "bad-message", message: "The frame cannot be read", detail: {} };
  }
}
