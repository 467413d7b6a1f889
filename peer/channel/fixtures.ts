/** What tests of the channel say, and both ends of a wire that does only what the test tells it. */
import type { HostId, TaskId } from "../../schema/ids.ts";
import { decodePeerFrame, encodeSchedulerFrame } from "../../schema/wire/codec.ts";
import type { HostInfo, HostLoad } from "../../schema/wire/host.ts";
import type { PeerMessage, PeerMessageOf } from "../../schema/wire/peer-message.ts";
import type { SchedulerMessage, SchedulerMessageOf } from "../../schema/wire/scheduler-message.ts";
import type { Socket, SocketEvents } from "./socket-line.ts";

export const host: HostInfo = {
  hostId: "a".repeat(32) as HostId,
  hostname: "h",
  role: "normal",
  address: "http://127.0.0.1:1",
  idc: "",
  location: "",
  version: "test",
  startedAtMs: 1,
};

export const load: HostLoad = {
  activeUploads: 0,
  activeDownloads: 0,
  uploadBytesPerSecond: 0,
  downloadBytesPerSecond: 0,
  storedBytes: 0,
  freeBytes: 0,
  residentBytes: 0,
};

export const welcome: SchedulerMessageOf<"welcome"> = {
  type: "welcome",
  shard: 0,
  shardCount: 1,
  heartbeatIntervalMs: 60_000,
  progressIntervalMs: 20,
};

export function taskIdOf(number: number): TaskId {
  return number.toString(16).padStart(64, "0") as TaskId;
}

export function announcementOf(taskId: TaskId, haveBytes = 1): PeerMessageOf<"announce"> {
  const task = {
    taskId,
    url: "http://source.example/model.bin",
    tag: "",
    application: "",
    version: "size:1",
    sizeBytes: haveBytes * 8 * 65_536,
    pieceLengthBytes: 65_536,
    ranged: true,
  };
  return { type: "announce", task, wanting: false, have: new Uint8Array(haveBytes).fill(255), leases: [] };
}

export function faultOf(taskId: TaskId): PeerMessageOf<"fault"> {
  return { type: "fault", taskId, parentHostId: host.hostId, kind: "slow" };
}

export function typesOf(messages: readonly { readonly type: string }[]): string[] {
  return messages.map((message) => message.type);
}

/** One socket, seen from the shard. */
export class WireSocket implements Socket {
  /** Frames that came in. */
  readonly frames: PeerMessage[][] = [];
  heardBytes = 0;
  hungUp: string | undefined;
  #events: SocketEvents;
  #answered = 0;

  constructor(events: SocketEvents) {
    this.#events = events;
  }

  get heard(): PeerMessage[] {
    return this.frames.flat();
  }

  send(frame: Uint8Array): void {
    this.heardBytes += frame.length;
    this.frames.push(decodePeerFrame(frame));
  }

  close(code: number, reason: string): void {
    this.hungUp = reason;
    this.#events.closed(code, reason);
  }

  open(): void {
    this.#events.opened();
  }

  say(...messages: SchedulerMessage[]): void {
    this.sayRaw(encodeSchedulerFrame(messages));
  }

  sayRaw(frame: Uint8Array): void {
    this.#events.received(frame);
  }

  /** Answers every heartbeat heard since the last call. @returns whether there was one */
  answerHeartbeats(): boolean {
    const heartbeats = this.heard.filter((message) => message.type === "heartbeat").length;
    const open = heartbeats - this.#answered;
    this.#answered = heartbeats;
    for (let answer = 0; answer < open; answer++) this.say();
    return open > 0;
  }

  /** The line breaks. */
  break(): void {
    this.#events.closed(1006, "");
  }

  /** Opens and welcomes. */
  welcome(overrides: Partial<SchedulerMessageOf<"welcome">> = {}): void {
    this.open();
    this.say({ ...welcome, ...overrides });
  }
}

/** One POST under way. */
export interface WirePost {
  readonly messages: PeerMessage[];
  readonly frameBytes: number;
  answer(...messages: SchedulerMessage[]): void;
  fail(error: Error): void;
}

export class Wire {
  readonly sockets: WireSocket[] = [];
  readonly posts: WirePost[] = [];

  openSocket = (events: SocketEvents): Socket => {
    const socket = new WireSocket(events);
    this.sockets.push(socket);
    return socket;
  };

  post = (frame: Uint8Array): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      this.posts.push({
        messages: decodePeerFrame(frame),
        frameBytes: frame.length,
        answer: (...messages) => resolve(encodeSchedulerFrame(messages)),
        fail: reject,
      });
    });

  get socket(): WireSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("No socket was opened");
    return socket;
  }

  get lastPost(): WirePost {
    const post = this.posts.at(-1);
    if (post === undefined) throw new Error("Nothing was POSTed");
    return post;
  }
}
