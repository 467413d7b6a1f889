import { expect, spyOn, test } from "bun:test";
import { parseHostId } from "../../schema/ids.ts";
import { signTicket, ticketKeyOf } from "../../schema/ticket.ts";
import { aTask } from "../store/fixtures.ts";
import { TicketCheck } from "./ticket-check.ts";

const hostId = parseHostId("c".repeat(32)) ?? expect.unreachable();
const nowMs = 1_700_000_000_000;

function bearing(token: string): Request {
  return new Request("http://parent/", { headers: { authorization: `Bearer ${token}` } });
}

test("childOf() verifies a ticket once and knows the latest 2048", async () => {
  const key = await ticketKeyOf("cluster token");
  const check = new TicketCheck(key, () => nowMs);
  const { taskId } = aTask();
  const tokens = await Promise.all(
    Array.from({ length: 2049 }, (_, second) => signTicket(key, { hostId, taskId }, nowMs + second * 1000)),
  );
  using verifications = spyOn(crypto.subtle, "verify");
  for (const token of tokens) expect(await check.childOf(bearing(token), taskId)).toBe(hostId);
  expect(verifications).toHaveBeenCalledTimes(2049);
  expect(await check.childOf(bearing(tokens[2048] ?? ""), taskId)).toBe(hostId);
  expect(await check.childOf(bearing(tokens[1] ?? ""), taskId)).toBe(hostId);
  expect(verifications).toHaveBeenCalledTimes(2049);
  expect(await check.childOf(bearing(tokens[0] ?? ""), taskId)).toBe(hostId);
  expect(verifications).toHaveBeenCalledTimes(2050);
});
