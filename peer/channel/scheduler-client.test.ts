import { afterEach, describe, expect, test } from "bun:test";
import { type HostId, shardOf, type TaskId } from "../../schema/ids.ts";
import { decodePeerFrame, encodeSchedulerFrame, MSGPACK_TYPE, PROTOCOL_VERSION } from "../../schema/wire/codec.ts";
import type { HostInfo } from "../../schema/wire/host.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { SchedulerMessage } from "../../schema/wire/scheduler-message.ts";
import { openSocket } from "../runtime/open-socket.ts";
import { announcementOf, faultOf, host, load, typesOf, welcome } from "./fixtures.ts";
import { SchedulerClient, type TaskMessage, type TaskSpeaker } from "./scheduler-client.ts";

const TOKEN = "the-token-of-this-cluster";

/** What a test has to wait for: asked again whenever something happens. */
class News {
  #waiting = new Set<() => void>();

  tell(): void {
    for (const waiter of this.#waiting) waiter();
  }

  until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!isSo()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

interface Heard {
  readonly shard: number;
  readonly by: "socket" | "post";
  readonly message: PeerMessage;
}

/** A scheduler that remembers what it heard, and answers hello and heartbeat. Its shape can be changed. */
class Cluster {
  readonly heard: Heard[] = [];
  readonly news = new News();
  shardCount: number;
  sockets = true;
  token = TOKEN;
  protocol: number = PROTOCOL_VERSION;
  /** What a welcome says, where it differs. */
  progressIntervalMs = 200;
  /** How often its shape was asked for. */
  asked = 0;
  away = false;
  #server: ReturnType<Cluster["listen"]> | undefined;
  #open = new Map<Bun.ServerWebSocket<{ shard: number }>, number>();

  constructor(shardCount: number) {
    this.shardCount = shardCount;
    this.#server = this.listen(0);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server?.port}`;
  }

  listen(port: number) {
    return Bun.serve<{ shard: number }>({
      port,
      hostname: "127.0.0.1",
      fetch: async (request, server) => await this.#answer(request, server),
      websocket: {
        open: (socket) => void this.#open.set(socket, socket.data.shard),
        close: (socket) => void this.#open.delete(socket),
        message: (socket, data) => {
          const frame = this.#hear(socket.data.shard, "socket", new Uint8Array(data as Buffer));
          if (frame !== undefined) socket.sendBinary(frame);
        },
      },
    });
  }

  /** Every connection breaks; the next ones find this shape. */
  reshape(shardCount: number): void {
    this.shardCount = shardCount;
    for (const socket of this.#open.keys()) socket.close(1012, "restarts");
  }

  say(shard: number, ...messages: SchedulerMessage[]): void {
    for (const [socket, of] of this.#open) if (of === shard) socket.sendBinary(encodeSchedulerFrame(messages));
  }

  said(by: Heard["by"], type: PeerMessage["type"]): Heard[] {
    return this.heard.filter((one) => one.by === by && one.message.type === type);
  }

  shardsGreeted(): Set<number> {
    return new Set(this.heard.filter(({ message }) => message.type === "hello").map(({ shard }) => shard));
  }

  async stop(): Promise<void> {
    await this.#server?.stop(true);
  }

  async #answer(request: Request, server: Bun.Server<{ shard: number }>): Promise<Response | undefined> {
    const { pathname } = new URL(request.url);
    if (pathname === "/v1/cluster") {
      this.asked++;
      this.news.tell();
    }
    if (this.away) return new Response("away", { status: 503 });
    if (request.headers.get("authorization") !== `Bearer ${this.token}`) return this.#problem(401, "unauthorized");
    if (pathname === "/v1/cluster") {
      return Response.json({ protocol: this.protocol, shardCount: this.shardCount, version: "test" });
    }
    const shard = Number(/^\/v1\/shards\/(\d+)\//.exec(pathname)?.[1]);
    if (!(shard < this.shardCount)) return this.#problem(404, "shard-not-found");
    if (request.method === "POST") {
      const frame = this.#hear(shard, "post", new Uint8Array(await request.arrayBuffer()));
      return new Response(frame, { headers: { "content-type": MSGPACK_TYPE } });
    }
    if (this.sockets && server.upgrade(request, { data: { shard } })) return undefined;
    return new Response("no sockets here", { status: 403 });
  }

  #hear(shard: number, by: Heard["by"], frame: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    const messages = decodePeerFrame(frame);
    for (const message of messages) this.heard.push({ shard, by, message });
    this.news.tell();
    const types = typesOf(messages);
    const { shardCount, progressIntervalMs } = this;
    if (types.includes("hello")) return encodeSchedulerFrame([{ ...welcome, shard, shardCount, progressIntervalMs }]);
    return types.includes("heartbeat") ? encodeSchedulerFrame([]) : undefined;
  }

  #problem(status: number, code: string): Response {
    return Response.json({ code, message: `the test says ${code}`, detail: {} }, { status });
  }
}

class Speaker implements TaskSpeaker {
  readonly taskId: TaskId;
  readonly running: boolean;
  readonly heard: TaskMessage[] = [];
  #news: News;

  constructor(taskId: TaskId, news: News, running = false) {
    this.taskId = taskId;
    this.#news = news;
    this.running = running;
  }

  announcement() {
    return announcementOf(this.taskId);
  }

  hear(message: TaskMessage): void {
    this.heard.push(message);
    this.#news.tell();
  }
}

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function startCluster(shardCount: number): Cluster {
  const cluster = new Cluster(shardCount);
  closing.push(() => cluster.stop());
  return cluster;
}

function clientOf(cluster: Cluster, overrides: Partial<HostInfo> = {}) {
  const logged: { readonly event: string; readonly fields: Record<string, unknown> }[] = [];
  const banned: HostId[] = [];
  const client = new SchedulerClient({
    url: cluster.url,
    token: TOKEN,
    host: { ...host, ...overrides },
    load: () => load,
    openSocket,
    random: () => 0,
    log: (_level, event, fields) => {
      logged.push({ event, fields });
      cluster.news.tell();
    },
    banned: (hostId) => {
      banned.push(hostId);
      cluster.news.tell();
    },
  });
  closing.unshift(() => client.close());
  return { client, logged, banned };
}

/** An id of that shard out of four, two and one. */
function taskOfShard(shard: number): TaskId {
  return `0000000${shard}${"0".repeat(56)}` as TaskId;
}

describe("SchedulerClient", () => {
  test("opens the home shard, and every shard with a task of this host", async () => {
    const cluster = startCluster(4);
    const home = shardOf(host.hostId, 4);
    const { client } = clientOf(cluster);
    const elsewhere = taskOfShard((home + 1) % 4);
    await client.start();
    client.add(new Speaker(elsewhere, cluster.news));
    await cluster.news.until(() => cluster.said("socket", "announce").length === 1);
    await cluster.news.until(() => cluster.said("socket", "heartbeat").length === 2);
    expect(cluster.shardsGreeted()).toEqual(new Set([home, (home + 1) % 4]));
    expect(client.hears(elsewhere)).toBe(true);
    expect(client.status()).toEqual({ connected: true, lastError: null, shardCount: 4 });
  });

  test("of a seed opens all shards", async () => {
    const cluster = startCluster(4);
    await clientOf(cluster, { role: "seed" }).client.start();
    await cluster.news.until(() => cluster.said("socket", "hello").length === 4);
    expect(cluster.shardsGreeted()).toEqual(new Set([0, 1, 2, 3]));
  });

  test("states running tasks before all others", async () => {
    const cluster = startCluster(1);
    const { client } = clientOf(cluster);
    for (const shard of [0, 1, 2]) client.add(new Speaker(taskOfShard(shard), cluster.news));
    client.add(new Speaker(taskOfShard(3), cluster.news, true));
    await client.start();
    await cluster.news.until(() => cluster.said("socket", "announce").length === 4);
    const [first] = cluster.said("socket", "announce");
    expect(first?.message).toEqual(announcementOf(taskOfShard(3)));
  });

  test("hands each message to its task, and a ban to everybody", async () => {
    const cluster = startCluster(1);
    const { client, banned } = clientOf(cluster);
    const speakers = [0, 1].map((shard) => new Speaker(taskOfShard(shard), cluster.news));
    for (const speaker of speakers) client.add(speaker);
    await client.start();
    await cluster.news.until(() => cluster.said("socket", "announce").length === 2);
    const refused = { type: "refused", taskId: taskOfShard(1), code: "task-mismatch", message: "m" } as const;
    cluster.say(0, refused, { type: "ban", hostId: host.hostId });
    await cluster.news.until(() => banned.length === 1);
    expect(speakers.map((speaker) => speaker.heard)).toEqual([[], [refused]]);
    expect(banned).toEqual([host.hostId]);
  });

  test("obeys the progress interval of the latest welcome", async () => {
    const cluster = startCluster(1);
    const { client } = clientOf(cluster);
    await client.start();
    await cluster.news.until(() => cluster.said("socket", "heartbeat").length === 1);
    cluster.progressIntervalMs = 777;
    cluster.say(0, { type: "resync" });
    await cluster.news.until(() => cluster.said("socket", "heartbeat").length === 2);
    expect(client.progressIntervalMs).toBe(777);
  });

  test.each([
    [4, 1],
    [4, 2],
    [1, 4],
  ])("follows when the cluster goes from %d shards to %d", async (from, to) => {
    const cluster = startCluster(from);
    const { client, logged } = clientOf(cluster);
    const tasks = [0, 1, 2, 3].map(taskOfShard);
    for (const taskId of tasks) client.add(new Speaker(taskId, cluster.news));
    await client.start();
    await cluster.news.until(() => cluster.said("socket", "announce").length === 4);
    cluster.heard.length = 0;
    cluster.reshape(to);
    await cluster.news.until(() => cluster.said("socket", "announce").length >= 4 && client.status().connected);
    expect(client.status()).toMatchObject({ connected: true, shardCount: to });
    const owners = new Map(
      cluster.said("socket", "announce").map(({ shard, message }) => {
        return [message.type === "announce" ? message.task.taskId : undefined, shard];
      }),
    );
    expect(tasks.map((taskId) => owners.get(taskId))).toEqual(tasks.map((taskId) => shardOf(taskId, to)));
    expect(logged.filter((line) => line.event === "scheduler.reshaped").length).toBe(1);
  });

  test("says goodbye by POST where sockets are blocked", async () => {
    const cluster = startCluster(1);
    cluster.sockets = false;
    const { client } = clientOf(cluster);
    client.add(new Speaker(taskOfShard(0), cluster.news));
    await client.start();
    await cluster.news.until(() => cluster.said("post", "announce").length === 1);
    await client.close();
    expect(cluster.said("post", "bye").length).toBe(1);
    expect(cluster.heard.at(-1)?.message.type).toBe("bye");
  });

  test("says goodbye on its socket", async () => {
    const cluster = startCluster(1);
    const { client } = clientOf(cluster);
    await client.start();
    await cluster.news.until(() => cluster.said("socket", "heartbeat").length === 1);
    await client.close();
    await cluster.news.until(() => cluster.said("socket", "bye").length === 1);
  });

  test("drops what it has to say while the shard is away", async () => {
    const cluster = startCluster(1);
    const { client } = clientOf(cluster);
    client.send(taskOfShard(0), [faultOf(taskOfShard(0))]);
    await client.start();
    await cluster.news.until(() => cluster.said("socket", "heartbeat").length === 1);
    expect(cluster.said("socket", "fault")).toEqual([]);
  });

  test("does not start with a token the scheduler refuses, or against another protocol", async () => {
    const cluster = startCluster(1);
    cluster.token = "another";
    await expect(clientOf(cluster).client.start()).rejects.toMatchObject({ code: "unauthorized" });
    cluster.token = TOKEN;
    cluster.protocol = 2;
    await expect(clientOf(cluster).client.start()).rejects.toMatchObject({ code: "protocol-mismatch" });
  });

  test("asks a scheduler that was away until it answers, and logs a refusal on the way once", async () => {
    const cluster = startCluster(1);
    cluster.away = true;
    const { client, logged } = clientOf(cluster);
    await client.start();
    expect(logged.map((line) => line.event)).toEqual(["scheduler.unreachable"]);
    cluster.token = "another";
    cluster.away = false;
    const asked = cluster.asked;
    await cluster.news.until(() => cluster.asked >= asked + 3);
    cluster.token = TOKEN;
    await cluster.news.until(() => cluster.said("socket", "heartbeat").length === 1);
    expect(logged.map((line) => line.event)).toEqual(["scheduler.unreachable", "scheduler.refused"]);
    expect(logged[1]?.fields.reason).toContain("refuses this cluster token");
    expect(client.status()).toEqual({ connected: true, lastError: null, shardCount: 1 });
  });
});
