import { describe, expect, test } from "bun:test";
import type { GetEvent, LocalTask } from "../../schema/wire/local.ts";
import type { HostDetail } from "../../schema/wire/query.ts";
import { until } from "../fixtures/daemon.ts";
import { TestCluster } from "./test-cluster.ts";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 120_000;

describe("a piece port", () => {
  test(
    "serves nobody who only knows an address and an id",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1 });
      const file = await cluster.put("model.bin", MIB);
      const { taskId } = await cluster.mustGet(cluster.peer(0), file);
      const { host } = await cluster.peer(0).status();
      const url = `${host.address}/v1/tasks/${taskId}/content`;
      expect((await fetch(url)).status).toBe(401);
      expect((await fetch(url, { headers: { authorization: `Bearer ${cluster.token}` } })).status).toBe(403);
    },
    TIMEOUT_MS,
  );
});

describe("a seed", () => {
  test(
    "does not read its own machine for others unless it is told to",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1 });
      const seed = await cluster.join("careful", { role: "seed", guarded: true });
      const file = await cluster.put("model.bin", MIB);
      const result = await cluster.mustGet(cluster.peer(0), file);
      expect(result.sourceBytes).toBe(MIB);
      expect((await seed.local<{ items: LocalTask[] }>("/v1/tasks")).items).toEqual([]);
      expect(cluster.peer(0).daemon.log()).toContain("--pull-allow");
    },
    TIMEOUT_MS,
  );
});

describe("a peer behind something that blocks WebSockets", () => {
  test(
    "trades by POSTed batches",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1 });
      const upstream = cluster.scheduler.url;
      let posts = 0;
      const blocking = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        async fetch(request) {
          if (request.headers.has("upgrade")) return new Response("no upgrades here", { status: 403 });
          if (request.method === "POST") posts++;
          const { pathname, search } = new URL(request.url);
          return await fetch(`${upstream}${pathname}${search}`, {
            method: request.method,
            headers: request.headers,
            body: await request.arrayBuffer(),
          });
        },
      });
      try {
        const file = await cluster.put("model.bin", 4 * MIB);
        await cluster.mustGet(cluster.peer(0), file);
        const blocked = await cluster.join("blocked", { scheduler: `http://127.0.0.1:${blocking.port}` });
        expect((await cluster.mustGet(blocked, file)).peerBytes).toBe(file.sizeBytes);
        const second = await cluster.put("second.bin", 4 * MIB);
        await cluster.mustGet(blocked, second);
        expect((await cluster.mustGet(cluster.peer(0), second)).peerBytes).toBe(second.sizeBytes);
        expect(posts).toBeGreaterThan(0);
        // No connection of it breaks when the scheduler is started anew, and still it states what it holds, as soon as it
        // has something to say.
        await cluster.restartScheduler();
        await cluster.mustGet(blocked, await cluster.put("third.bin", MIB));
        const { host } = await blocked.status();
        await until("it is known again with all it holds", async () => {
          const known = await cluster.query<HostDetail>(`/v1/hosts/${host.hostId}`);
          return known.tasks.filter((task) => task.state === "succeeded").length === 3;
        });
        await blocked.daemon.stop();
      } finally {
        await blocking.stop(true);
      }
    },
    TIMEOUT_MS,
  );
});

describe("Ctrl-C", () => {
  test(
    "stops a get cleanly; the next one goes on where it was",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1, storeRateBps: 8 * MIB });
      const file = await cluster.put("model.bin", 16 * MIB);
      const peer = cluster.peer(0);
      const get = cluster.startGet(peer, file, "get");
      await until("a part is read", () => cluster.store.stats().bodyBytes > 8 * MIB, { daemon: get });
      expect(await get.stop("SIGINT")).toBe(130);
      expect(get.log()).toContain("resume");
      await until("the peer stops reading", async () => (await peer.status()).runningTaskCount === 0);
      const result = await cluster.mustGet(peer, file);
      expect(result.localBytes).toBeGreaterThan(4 * MIB);
      expect(result.localBytes + result.sourceBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );

  test(
    "of one of two gets of the same file leaves the other its download",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1, storeRateBps: 8 * MIB });
      const file = await cluster.put("model.bin", 16 * MIB);
      const peer = cluster.peer(0);
      const doomed = cluster.startGet(peer, file, "doomed");
      await until("a part is read", () => cluster.store.stats().bodyBytes > 4 * MIB, { daemon: doomed });
      const other = await fetch("http://peer/v1/get", {
        method: "POST",
        body: JSON.stringify({ source: { url: file.url, store: cluster.storeOptions } }),
        unix: peer.socket,
      });
      const types: string[] = [];
      for await (const line of linesOf(other)) {
        types.push((JSON.parse(line) as GetEvent).type);
        // It has said how far it is, so both wait now.
        if (types.length === 3) expect(await doomed.stop("SIGINT")).toBe(130);
        if (types.at(-1) === "ready" || types.at(-1) === "failed") break;
      }
      expect([types[0], types.at(-1)]).toEqual(["opened", "ready"]);
      expect(cluster.store.stats().bodyBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );
});

async function* linesOf(response: Response): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
