/** What the core says, as it goes over the wire: gathered by host, with tickets signed. */

import type { HostId } from "../../schema/ids.ts";
import type { Log } from "../../schema/log.ts";
import { problemOf } from "../../schema/problem.ts";
import { TICKET_TTL_MS, type Ticket } from "../../schema/ticket.ts";
import type { SchedulerMessage } from "../../schema/wire/scheduler-message.ts";
import type { Outgoing } from "../core/turn.ts";

export interface SigningComponents {
  readonly signTicket: (ticket: Ticket) => Promise<string>;
  readonly log: Log;
}

export async function messagesByHost(
  outgoing: readonly Outgoing[],
  components: SigningComponents,
): Promise<Map<HostId, SchedulerMessage[]>> {
  const byHost = new Map<HostId, SchedulerMessage[]>();
  const signed = outgoing.map(async (one) => ({ hostId: one.hostId, message: await sign(one, components) }));
  for (const { hostId, message } of await Promise.all(signed)) {
    const messages = byHost.get(hostId) ?? [];
    byHost.set(hostId, messages);
    // Several unknown tasks in one frame call for one new statement.
    if (message.type !== "resync" || !messages.some((other) => other.type === "resync")) messages.push(message);
  }
  return byHost;
}

async function sign({ hostId, message }: Outgoing, { signTicket, log }: SigningComponents): Promise<SchedulerMessage> {
  if (message.type !== "task") return message;
  try {
    const ticket = await signTicket({ hostId, taskId: message.taskId });
    return { ...message, ticket, ticketTtlMs: TICKET_TTL_MS };
  } catch (error) {
    log("warn", "ticket.failed", { task: message.taskId, host: hostId, error: String(error) });
    return { type: "error", problem: problemOf(error) };
  }
}
