/** The right to read a task from a piece port, as a child of the cluster has it. */
import { randomBytes } from "node:crypto";
import { parseHostId, parseTaskId } from "../../schema/ids.ts";
import { signTicket, ticketKeyOf } from "../../schema/ticket.ts";

/** An `Authorization` header. @throws Error when `id` is no task id */
export async function authorizationFor(id: string, clusterToken: string): Promise<string> {
  const taskId = parseTaskId(id);
  const hostId = parseHostId(randomBytes(16).toString("hex"));
  if (taskId === undefined || hostId === undefined) throw new Error(`${id} is no task id`);
  return `Bearer ${await signTicket(await ticketKeyOf(clusterToken), { taskId, hostId }, Date.now())}`;
}
