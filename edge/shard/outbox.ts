/** What waits for a host that asks by POST. Bounded: a host that does not ask in time loses what waited and is told to
 *  state everything anew. */
import { encodeSchedulerFrame, MAX_FRAME_BYTES, MAX_MESSAGES_PER_FRAME } from "../../schema/wire/codec.ts";
import type { SchedulerMessage } from "../../schema/wire/scheduler-message.ts";
import { roughBytes } from "./rough-bytes.ts";

export interface OutboxLimits {
  readonly outboxMessages: number;
  readonly outboxBytes: number;
}

export class Outbox {
  #limits: OutboxLimits;
  #waiting: SchedulerMessage[] = [];
  #waitingBytes = 0;

  constructor(limits: OutboxLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#waiting.length;
  }

  put(messages: readonly SchedulerMessage[]): void {
    for (const message of messages) {
      this.#waiting.push(message);
      this.#waitingBytes += roughBytes(message);
    }
    if (this.#waiting.length <= this.#limits.outboxMessages && this.#waitingBytes <= this.#limits.outboxBytes) return;
    const resync: SchedulerMessage = { type: "resync" };
    this.#waiting = [resync];
    this.#waitingBytes = roughBytes(resync);
  }

  /** One frame of what waited longest; the rest stays. */
  takeFrame(): Uint8Array {
    let count = Math.min(this.#waiting.length, MAX_MESSAGES_PER_FRAME);
    let frame = encodeSchedulerFrame(this.#waiting.slice(0, count));
    while (frame.length > MAX_FRAME_BYTES && count > 1) {
      count >>= 1;
      frame = encodeSchedulerFrame(this.#waiting.slice(0, count));
    }
    for (const message of this.#waiting.splice(0, count)) this.#waitingBytes -= roughBytes(message);
    return frame;
  }
}
