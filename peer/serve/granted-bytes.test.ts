import { expect, test } from "bun:test";
import type { HostId } from "../../schema/ids.ts";
import { GrantedBytes } from "./granted-bytes.ts";

const childOf = (n: number) => n.toString(16).padStart(32, "0") as HostId;

test("counts each grant of a child until it is over, and those of nobody else", () => {
  const pending = new Set<Request>();
  const granted = new GrantedBytes((request) => pending.has(request));
  const requests = [10, 20, 30].map((bytes) => ({ bytes, request: new Request("http://parent/") }));
  for (const { bytes, request } of requests) {
    pending.add(request);
    granted.add(childOf(1), request, bytes);
  }
  expect([granted.outstanding(childOf(1)), granted.outstanding(childOf(2))]).toEqual([60, 0]);
  pending.delete(requests[1]?.request ?? expect.unreachable());
  expect(granted.outstanding(childOf(1))).toBe(40);
  pending.clear();
  expect([granted.outstanding(childOf(1)), granted.count]).toEqual([0, 0]);
});

test("remembers few grants that are over, however many children never come again", () => {
  const granted = new GrantedBytes(() => false);
  for (let n = 0; n < 10_000; n++) granted.add(childOf(n), new Request("http://parent/"), 1);
  expect(granted.count).toBeLessThan(1000);
});
