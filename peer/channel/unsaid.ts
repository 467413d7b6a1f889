/** What waits to be said to one shard: messages in their order, and behind them the tasks it has yet to hear of. */
import type { TaskId } from "../../schema/ids.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";

/** One slice is about what fits into a frame; more messages than this make no frame cheaper. */
const SLICE_MESSAGES = 512;
const SLICE_BYTES = 512 * 1024;

export class Unsaid {
  /** Roughly what the messages take on the wire; tasks take nothing before their turn. */
  bytes = 0;
  #announcement: (taskId: TaskId) => PeerMessage | undefined;
  #messages: PeerMessage[] = [];
  #unstated = new Set<TaskId>();

  /** @param announcement states a task as it is then; `undefined` when this host has no part in it any more */
  constructor(announcement: (taskId: TaskId) => PeerMessage | undefined) {
    this.#announcement = announcement;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0 && this.#unstated.size === 0;
  }

  /** A message about a task that is still to be stated is dropped: the announcement will say it all. */
  put(messages: readonly PeerMessage[]): void {
    for (const message of messages) {
      if (message.type === "announce") this.#unstated.delete(message.task.taskId);
      else if ("taskId" in message && this.#unstated.has(message.taskId)) continue;
      this.#messages.push(message);
      this.bytes += roughBytes(message);
    }
  }

  /** Begins anew: these tasks are all there is to say. */
  restate(taskIds: Iterable<TaskId>): void {
    this.clear();
    this.#unstated = new Set(taskIds);
  }

  clear(): void {
    this.#messages = [];
    this.#unstated.clear();
    this.bytes = 0;
  }

  /** Takes the next messages, about as many as fit into a frame; none when nothing waits. */
  take(): PeerMessage[] {
    const slice: PeerMessage[] = [];
    let sliceBytes = 0;
    const isFull = () => slice.length >= SLICE_MESSAGES || sliceBytes >= SLICE_BYTES;
    for (const message of this.#messages) {
      if (isFull()) break;
      slice.push(message);
      sliceBytes += roughBytes(message);
    }
    this.#messages.splice(0, slice.length);
    this.bytes -= sliceBytes;
    for (const taskId of this.#unstated) {
      if (isFull()) break;
      this.#unstated.delete(taskId);
      const message = this.#announcement(taskId);
      if (message === undefined) continue;
      slice.push(message);
      sliceBytes += roughBytes(message);
    }
    return slice;
  }
}

function roughBytes(message: PeerMessage): number {
  switch (message.type) {
    case "announce":
      return 512 + message.task.url.length + message.have.length + message.leases.length * 96;
    case "progress":
      return message.digests.reduce(
        (sum, run) => sum + run.digests.length + 32,
        256 + (message.added.length + message.removed.length) * 40 + message.leases.length * 96,
      );
    case "return-leases":
      return 256 + message.leaseIds.length * 72;
    default:
      return 512;
  }
}
