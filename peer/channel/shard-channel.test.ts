import { afterEach, describe, expect, test } from "bun:test";
import type { HostId } from "../../schema/ids.ts";
import { decodePeerFrame, encodeSchedulerFrame } from "../../schema/wire/codec.ts";
import type { HostInfo } from "../../schema/wire/host.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { SchedulerMessage } from "../../schema/wire/scheduler-message.ts";
import { openSocket } from "../runtime/open-socket.ts";
import { type ChannelHandler, ShardChannel } from "./shard-channel.ts";

const host: HostInfo = {
  hostId: "a".repeat(32) as HostId,
  hostname: "h",
  role: "normal",
  address: "http://127.0.0.1:1",
  idc: "",
  location: "",
  version: "test",
  startedAtMs: 1,
};
const welcome: SchedulerMessage = {
  type: "welcome",
  shard: 0,
  shardCount: 1,
  heartbeatIntervalMs: 60_000,
  progressIntervalMs: 20,
};
const load = {
  activeUploads: 0,
  activeDownloads: 0,
  uploadBytesPerSecond: 0,
  downloadBytesPerSecond: 0,
  storedBytes: 0,
  freeBytes: 0,
  residentBytes: 0,
};

/** A shard's side of the wire: notes what came in, and answers hello with welcome. */
function startShard({ sockets }: { sockets: boolean }) {
  const heard: PeerMessage[] = [];
  const waiting: { until: () => boolean; resolve: () => void }[] = [];
  const open = new Set<{ close(): void; send(frame: Uint8Array): void }>();
  const hear = (frame: Uint8Array) => {
    const messages = decodePeerFrame(frame);
    heard.push(...messages);
    for (const waiter of waiting) if (waiter.until()) waiter.resolve();
    return encodeSchedulerFrame(messages.some((message) => message.type === "hello") ? [welcome] : []);
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request, self) {
      if (request.method === "POST") return new Response(hear(new Uint8Array(await request.arrayBuffer())));
      if (sockets && self.upgrade(request)) return undefined;
      return new Response("no sockets here", { status: 403 });
    },
    websocket: {
      open: (socket) => void open.add(socket),
      close: (socket) => void open.delete(socket),
      message: (socket, data) => void socket.send(hear(new Uint8Array(data as Buffer))),
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    heard,
    open,
    heardUntil: (until: () => boolean) =>
      new Promise<void>((resolve) => (until() ? resolve() : waiting.push({ until, resolve }))),
    stop: () => server.stop(true),
  };
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function connect(shard: ReturnType<typeof startShard>, more: Partial<ChannelHandler> = {}) {
  const channel = new ShardChannel(
    {
      openSocket: (events) => openSocket(`${shard.url}/channel`, "token", events),
      post: async (frame) =>
        new Uint8Array(await (await fetch(`${shard.url}/messages`, { method: "POST", body: frame })).arrayBuffer()),
      random: () => 0,
      log: () => undefined,
    },
    {
      hello: () => ({ type: "hello", host }),
      heartbeat: () => ({ type: "heartbeat", load }),
      restate: () => [],
      receive: () => undefined,
      welcomed: () => undefined,
      busy: () => true,
      ...more,
    },
  );
  closing.push(() => channel.close(), shard.stop);
  return channel;
}

const bye: PeerMessage = { type: "bye" };
const typesOf = (messages: PeerMessage[]) => messages.map((message) => message.type);

describe("ShardChannel", () => {
  test("introduces itself first, and states its tasks once it is welcome", async () => {
    const shard = startShard({ sockets: true });
    connect(shard, { restate: () => [bye] });
    await shard.heardUntil(() => shard.heard.length === 3);
    expect(typesOf(shard.heard)).toEqual(["hello", "heartbeat", "bye"]);
  });

  test("comes back by itself and states everything anew", async () => {
    const shard = startShard({ sockets: true });
    connect(shard, { restate: () => [bye] });
    await shard.heardUntil(() => shard.heard.length === 3);
    for (const socket of shard.open) socket.close();
    await shard.heardUntil(() => shard.heard.length === 6);
    expect(typesOf(shard.heard.slice(3))).toEqual(["hello", "heartbeat", "bye"]);
  });

  test("says hello again when the shard asks for it", async () => {
    const shard = startShard({ sockets: true });
    connect(shard);
    await shard.heardUntil(() => shard.heard.length === 2);
    for (const socket of shard.open) socket.send(encodeSchedulerFrame([{ type: "resync" }]));
    await shard.heardUntil(() => shard.heard.length === 4);
    expect(typesOf(shard.heard)).toEqual(["hello", "heartbeat", "hello", "heartbeat"]);
  });

  test("survives a frame that is no message", async () => {
    const shard = startShard({ sockets: true });
    const channel = connect(shard);
    await shard.heardUntil(() => shard.heard.length === 2);
    for (const socket of shard.open) {
      socket.send(new Uint8Array([0xc1]));
      socket.send(encodeSchedulerFrame([{ type: "resync" }]));
    }
    await shard.heardUntil(() => shard.heard.length === 4);
    expect(channel.lastError).toBe(null);
  });

  test("posts batches where sockets are blocked", async () => {
    const shard = startShard({ sockets: false });
    let stated = 0;
    const channel = connect(shard, {
      restate: () =>
        stated++ === 0
          ? [{ type: "fault", taskId: "0".repeat(64) as never, parentHostId: host.hostId, kind: "slow" }]
          : [],
    });
    await shard.heardUntil(() => typesOf(shard.heard).includes("fault"));
    expect(channel.connected).toBe(true);
    channel.send([{ type: "fault", taskId: "1".repeat(64) as never, parentHostId: host.hostId, kind: "slow" }]);
    await shard.heardUntil(() => typesOf(shard.heard).filter((type) => type === "fault").length === 2);
    expect(stated).toBe(1);
    await channel.close();
    await shard.heardUntil(() => typesOf(shard.heard).includes("bye"));
  });
});
