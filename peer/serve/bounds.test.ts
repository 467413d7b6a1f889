import { expect, test } from "bun:test";
import { parseHostId } from "../../schema/ids.ts";
import { aTask } from "../store/fixtures.ts";
import { openMemoryStore } from "../store/memory-store.ts";
import { BitfieldRoute } from "./bitfield-route.ts";
import { PullRoute } from "./pull-route.ts";

test("at most 1024 children wait for news at the same time", async () => {
  const task = await openMemoryStore({ nowMs: () => 0, capacityBytes: 2 ** 30 }).open(aTask());
  const route = new BitfieldRoute();
  const query = new URLSearchParams({ since: "0", waitMs: "30000" });
  const leaving = new AbortController();
  const wait = (signal?: AbortSignal) =>
    route.serve(new Request("http://parent/", signal === undefined ? {} : { signal }), query, task, () => []);
  const waiting = Array.from({ length: 1024 }, (_, at) => wait(at === 0 ? leaving.signal : undefined));
  expect(wait()).rejects.toMatchObject({ code: "too-many-requests", reason: "waits-full" });
  // A child that goes away makes room.
  leaving.abort();
  await waiting[0];
  const next = wait();
  route.close();
  for (const response of await Promise.all([...waiting, next])) expect(response.status).toBe(200);
});

test("at most 64 pulls run at the same time", async () => {
  const hostId = parseHostId("c".repeat(32)) ?? expect.unreachable();
  const begun = Promise.withResolvers<void>();
  const route = new PullRoute(() => begun.promise);
  const pull = () => {
    const body = JSON.stringify({ source: { url: "https://store.example/file" } });
    return route.serve(new Request("http://seed/", { method: "POST", body }), aTask().taskId, hostId);
  };
  const running = Array.from({ length: 64 }, pull);
  await expect(pull()).rejects.toMatchObject({ code: "too-many-requests" });
  begun.resolve();
  for (const response of await Promise.all(running)) expect(response.status).toBe(202);
  expect((await pull()).status).toBe(202);
});
