/** Messages into frames that fit the limits of the wire. */
import { encodeSchedulerFrame, MAX_FRAME_BYTES, MAX_MESSAGES_PER_FRAME } from "../../schema/wire/codec.ts";
import type { SchedulerMessage } from "../../schema/wire/scheduler-message.ts";

/** All messages, in order, in as few frames as halving gives. */
export function framesOf(messages: readonly SchedulerMessage[]): Uint8Array[] {
  if (messages.length === 0) return [];
  if (messages.length <= MAX_MESSAGES_PER_FRAME) {
    const frame = encodeSchedulerFrame(messages);
    // No single message is longer than a frame: each of its fields is bounded by the schema.
    if (frame.length <= MAX_FRAME_BYTES || messages.length === 1) return [frame];
  }
  const half = messages.length >> 1;
  return [...framesOf(messages.slice(0, half)), ...framesOf(messages.slice(half))];
}

/** Roughly what a message takes on the wire. */
export function roughBytes(message: SchedulerMessage): number {
  switch (message.type) {
    case "digests":
      return message.runs.reduce((sum, run) => sum + run.digests.length + 32, 128);
    case "neighbours":
      return 128 + message.add.length * 512 + message.remove.length * 40;
    case "leases":
      return 128 + message.granted.length * 128 + message.revoked.length * 72;
    case "task":
      return 256 + message.ticket.length;
    default:
      return 2048;
  }
}
