/** What waits for a host is bounded in bytes without being encoded. */
import type { SchedulerMessage } from "../../schema/wire/scheduler-message.ts";

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
