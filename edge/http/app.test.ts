import { describe, expect, test } from "bun:test";
import { type HostId, parseHostId } from "../../schema/ids.ts";
import { encodePeerFrame, MAX_FRAME_BYTES, MSGPACK_TYPE } from "../../schema/wire/codec.ts";
import type { HostInfo } from "../../schema/wire/host.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { HostDetail, HostSummary, Page, Stats } from "../../schema/wire/query.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import { ShardActor } from "../shard/actor.ts";
import { hostIdOf, taskIdOf } from "../store/fixtures.ts";
import { memoryDirectory } from "../store/memory.ts";
import { createApp } from "./app.ts";

const token = "a-cluster-token-of-the-tests";
const authorised = { Authorization: `Bearer ${token}` };
const logged: unknown[][] = [];

async function open(options: { shards?: number; openQueries?: boolean } = {}) {
  const { shards: shardCount = 2, openQueries = false } = options;
  const clock = { nowMs: 1_000_000 };
  const shards = await Promise.all(
    Array.from({ length: shardCount }, (_, shard) =>
      ShardActor.start(
        {
          directory: memoryDirectory(),
          signTicket: async () => "ticket",
          nowMs: () => clock.nowMs,
          random: () => 0.5,
          log: () => {},
          wakeAt: () => {},
        },
        { shard, shardCount },
      ),
    ),
  );
  const connect = () => new Response("connected");
  const log = (...line: unknown[]) => void logged.push(line);
  const app = createApp({ shards, token, openQueries, connect, log, version: "1.2.3" });
  const say = async (shard: number, ...messages: PeerMessage[]) => {
    const headers = { ...authorised, "Content-Type": MSGPACK_TYPE };
    const body = encodePeerFrame(messages);
    const reply = await app.request(`/v1/shards/${shard}/messages`, { method: "POST", headers, body });
    expect(reply.status).toBe(200);
  };
  const get = async <T>(path: string) => (await (await app.request(path, { headers: authorised })).json()) as T;
  return { app, clock, say, get };
}

function hello(number: number, facts: Partial<HostInfo> = {}): PeerMessage & { type: "hello" } {
  const host: HostInfo = {
    hostId: parseHostId(hostIdOf(number)) as HostId,
    hostname: `node-${number}`,
    role: "normal",
    address: "http://10.0.0.1:65002",
    idc: "hz1",
    location: "",
    version: "1",
    startedAtMs: 1,
    ...facts,
  };
  return { type: "hello", host };
}

function announce(number: number): PeerMessage {
  const task: TaskInfo = {
    taskId: taskIdOf(number),
    url: "https://h/a",
    tag: "",
    application: "",
    version: "size:1",
    sizeBytes: 1,
    pieceLengthBytes: 262_144,
    ranged: true,
  };
  return { type: "announce", task, wanting: true, have: new Uint8Array(1), leases: [] };
}

describe("queries over several shards", () => {
  test("a host is shown as the shard knows it that is in touch with it", async () => {
    const { say, get, clock } = await open();
    await say(0, hello(1, { idc: "old" }), announce(1));
    clock.nowMs += 10;
    await say(1, hello(1, { idc: "new" }), announce(2), announce(3));
    const { tasks, ...host } = await get<HostDetail>(`/v1/hosts/${hostIdOf(1)}`);
    expect([host.idc, host.taskCount, host.state]).toEqual(["new", 3, "online"]);
    expect(tasks.map((task) => task.taskId)).toEqual([taskIdOf(1), taskIdOf(2), taskIdOf(3)]);

    // The shard that heard of it last has lost it; the other has not.
    await say(1, hello(1, { idc: "new" }), { type: "bye" });
    const { items } = await get<Page<HostSummary>>("/v1/hosts");
    expect(items.map((item) => [item.hostId, item.idc, item.state])).toEqual([[hostIdOf(1), "old", "online"]]);
  });

  test("filters apply to what the shards say together", async () => {
    const { say, get } = await open();
    await say(0, hello(1, { role: "seed" }));
    await say(1, hello(1, { role: "seed" }), { type: "bye" });
    await say(1, hello(2), { type: "bye" });
    const found = async (filter: string) =>
      (await get<Page<HostSummary>>(`/v1/hosts?${filter}`)).items.map((item) => item.hostId);
    expect(await found("state=offline")).toEqual([hostIdOf(2)]);
    expect(await found("state=online")).toEqual([hostIdOf(1)]);
    expect(await found("role=seed&idc=hz1")).toEqual([hostIdOf(1)]);
    expect(await found("idc=hz2")).toEqual([]);
  });

  test("pages are full although shards repeat hosts and filters drop some, and the last one says so", async () => {
    const { say, get } = await open();
    for (const number of [1, 2, 3, 4, 5, 6, 7]) {
      await say(0, hello(number, { idc: number % 2 === 0 ? "even" : "odd" }));
      await say(1, hello(number, { idc: number % 2 === 0 ? "even" : "odd" }));
    }
    const first = await get<Page<HostSummary>>("/v1/hosts?idc=odd&limit=2");
    expect([first.items.map((item) => item.hostId), first.nextCursor]).toEqual([
      [hostIdOf(1), hostIdOf(3)],
      hostIdOf(3),
    ]);
    const last = await get<Page<HostSummary>>(`/v1/hosts?idc=odd&limit=2&cursor=${first.nextCursor}`);
    expect([last.items.map((item) => item.hostId), last.nextCursor]).toEqual([[hostIdOf(5), hostIdOf(7)], null]);
  });
});

describe("the token", () => {
  const ask = async (openQueries: boolean, path: string, init: RequestInit = {}) =>
    (await (await open({ openQueries })).app.request(path, init)).status;

  test("is asked for by every query, unless queries are open", async () => {
    for (const path of ["/v1/tasks", `/v1/hosts/${hostIdOf(1)}`, "/v1/stats", "/v1/cluster", "/metrics"]) {
      expect([path, await ask(false, path)]).toEqual([path, 401]);
      expect([path, (await ask(true, path)) === 401]).toEqual([path, false]);
    }
    expect([await ask(false, "/healthz"), await ask(false, "/openapi.json")]).toEqual([200, 200]);
  });

  test("is asked for by channel and messages even when queries are open", async () => {
    expect(await ask(true, "/v1/shards/0/channel", { headers: { Upgrade: "websocket" } })).toBe(401);
    expect(await ask(true, "/v1/shards/0/messages", { method: "POST" })).toBe(401);
    expect(await ask(true, "/v1/shards/99/messages", { method: "POST" })).toBe(401);
  });

  test("is refused when it is wrong although none is needed, and in any other scheme", async () => {
    const { app } = await open({ openQueries: true });
    for (const value of [`Bearer ${token}x`, `Bearer ${token.slice(1)}`, "Bearer", "", `Basic ${token}`]) {
      const response = await app.request("/v1/stats", { headers: { Authorization: value } });
      expect([value, response.status]).toEqual([value, 401]);
      expect(response.headers.get("WWW-Authenticate")).toBe("Bearer");
    }
    expect((await app.request("/v1/stats", { headers: { Authorization: `bearer ${token}` } })).status).toBe(200);
  });

  test("lets a WebSocket through to its shard", async () => {
    const headers = { ...authorised, Upgrade: "WebSocket" };
    const { app } = await open();
    expect(await (await app.request("/v1/shards/1/channel", { headers })).text()).toBe("connected");
  });
});

describe("errors", () => {
  test("name what is allowed where a method is not", async () => {
    const { app } = await open({ openQueries: true });
    const refused = await app.request("/v1/tasks", { method: "PUT" });
    expect([refused.status, refused.headers.get("Allow")]).toEqual([405, "GET, HEAD"]);
    const messages = await app.request("/v1/shards/0/messages", { headers: authorised });
    expect([messages.status, messages.headers.get("Allow")]).toEqual([405, "POST"]);
  });

  test("name every wrong parameter at once", async () => {
    const { get } = await open();
    const { code, message } = await get<{ code: string; message: string }>("/v1/hosts?limit=x&role=boss&color=red");
    expect(code).toBe("bad-request");
    for (const name of ["limit", "role", "color"]) expect(message).toContain(name);
    expect((await get<{ message: string }>("/v1/hosts?a%0Alevel=1")).message).not.toContain("\n");
  });

  test("say what a limit must be, and a limit is digits alone", async () => {
    const { get } = await open();
    for (const limit of ["0x2", "1e1", "", "+5", " 5", "1.0", "-1", "0", "501", "9".repeat(30), "5&limit=6"]) {
      const { code, message } = await get<{ code: string; message: string }>(`/v1/tasks?limit=${limit}`);
      const told = "The request has parameters that are wrong: limit: must be a whole number from 1 to 500";
      expect([limit, code, message]).toEqual([limit, "bad-request", told]);
    }
    expect(await get<Page<HostSummary>>("/v1/hosts?limit=500")).toEqual({ items: [], nextCursor: null });
  });

  test("of our own are logged with their text and answered without it", async () => {
    const app = createApp({
      shards: [],
      token,
      openQueries: true,
      connect: () => {
        throw new Error("secret detail of a bug");
      },
      log: (...line) => void logged.push(line),
      version: "1",
    });
    app.get("/boom", () => {
      throw new Error("secret detail of a bug");
    });
    logged.length = 0;
    const response = await app.request("/boom?sig=s3cr3t");
    const text = await response.text();
    expect([response.status, JSON.parse(text).code]).toEqual([500, "internal"]);
    expect(text).not.toContain("secret detail");
    expect(logged).toEqual([
      ["warn", "request-failed", { method: "GET", path: "/boom", error: expect.stringContaining("secret detail") }],
    ]);
  });

  test("stop a body above 1 MiB of which nobody told the length", async () => {
    const { app } = await open();
    let sent = 0;
    const body = new ReadableStream({
      pull: (controller) => {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536));
        if (sent > 64 * MAX_FRAME_BYTES) controller.close();
      },
    });
    const headers = { ...authorised, "Content-Type": MSGPACK_TYPE };
    const response = await app.request("/v1/shards/0/messages", { method: "POST", headers, body });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([413, "body-too-large"]);
    expect(sent).toBeLessThan(2 * MAX_FRAME_BYTES);
  });
});

test("/metrics is Prometheus text with help and type for each figure", async () => {
  const { app, say } = await open();
  await say(0, hello(1), announce(1));
  const response = await app.request("/metrics", { headers: authorised });
  expect(response.headers.get("Content-Type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  expect(text).toContain("# TYPE pantala_tasks gauge\npantala_tasks 1\n");
  expect(text).toContain("# TYPE pantala_messages_in_total counter\npantala_messages_in_total 2\n");
  for (const line of text.trimEnd().split("\n"))
    expect(line).toMatch(/^(# (HELP|TYPE) )?pantala_[a-z_]+(\{reason="[a-z-]+"\})? .+$/);
});

describe("/metrics", () => {
  test("counts what was refused by reason, over all shards, and names reasons that never were", async () => {
    const { app, say, get } = await open();
    const headers = { ...authorised, "Content-Type": MSGPACK_TYPE };
    const post = (shard: number, body: Uint8Array<ArrayBuffer>) =>
      app.request(`/v1/shards/${shard}/messages`, { method: "POST", headers, body });
    for (const shard of [0, 1]) expect((await post(shard, new Uint8Array([1, 2, 3]))).status).toBe(400);
    await say(0, hello(1), { type: "finish", taskId: taskIdOf(2), state: "failed", sourceBytes: 0, peerBytes: 0 });
    expect((await get<Stats>("/v1/stats")).tallies.messagesRefused).toMatchObject({ "bad-message": 2, unknown: 1 });
    const text = await (await app.request("/metrics", { headers: authorised })).text();
    expect(text).toContain('\npantala_scheduler_messages_refused_total{reason="bad-message"} 2\n');
    expect(text).toContain('\npantala_scheduler_leases_ended_total{reason="expired"} 0\n');
    expect(text).toContain("\n# TYPE pantala_scheduler_leases_ended_total counter\n");
  });
});
