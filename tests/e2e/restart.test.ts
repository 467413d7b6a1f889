import { describe, expect, test } from "bun:test";
import type { HostSummary, Page, TaskDetail, TaskSummary } from "../../schema/wire/query.ts";
import { until } from "../fixtures/daemon.ts";
import { TestCluster } from "./test-cluster.ts";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 120_000;

describe("a scheduler killed with -9", () => {
  test(
    "in the middle of a herd comes back, and everybody ends with the source read once",
    async () => {
      await using cluster = await TestCluster.start({ peers: 3, storeRateBps: 8 * MIB });
      const file = await cluster.put("model.bin", 24 * MIB);
      const gets = Promise.all(cluster.peers.map((peer) => cluster.mustGet(peer, file)));
      await until("a third is read", () => cluster.store.stats().bodyBytes > 8 * MIB);
      await cluster.restartScheduler();
      await gets;
      // Streams under way go on under the leases their holders claim; nothing is read twice.
      expect(cluster.store.stats().bodyBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );

  test(
    "knows hosts, tasks and who holds what when it comes back",
    async () => {
      await using cluster = await TestCluster.start({ peers: 2 });
      const file = await cluster.put("model.bin", 3 * MIB);
      const { taskId } = await cluster.mustGet(cluster.peer(0), file);
      await cluster.mustGet(cluster.peer(1), file);
      const before = await cluster.query<TaskDetail>(`/v1/tasks/${taskId}`);
      await cluster.restartScheduler();
      expect((await cluster.query<Page<TaskSummary>>("/v1/tasks")).items.map((task) => task.taskId)).toEqual([taskId]);
      await until(
        "both are back",
        async () => (await cluster.query<Page<HostSummary>>("/v1/hosts?state=online")).items.length === 2,
      );
      const after = await until("both hold all again", async () => {
        const task = await cluster.query<TaskDetail>(`/v1/tasks/${taskId}`);
        return task.completePeerCount === 2 && task;
      });
      expect(after.peers.map((peer) => [peer.hostId, peer.bitfield])).toEqual(
        before.peers.map((peer) => [peer.hostId, peer.bitfield]),
      );
      const late = await cluster.join("late");
      expect((await cluster.mustGet(late, file)).peerBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );
});

describe("a peer killed with -9", () => {
  test(
    "in the middle of a download goes on where it was",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1, storeRateBps: 8 * MIB });
      const file = await cluster.put("model.bin", 24 * MIB);
      const first = cluster.get(cluster.peer(0), file.url);
      await until("half is read", () => cluster.store.stats().bodyBytes > 12 * MIB);
      await cluster.peer(0).daemon.stop("SIGKILL");
      expect((await first).exitCode).toBe(3);
      const again = await cluster.join("normal-1");
      const result = await cluster.mustGet(again, file);
      // What was under way is read again: one piece for each of four streams, and what lay in sockets.
      expect(result.localBytes).toBeGreaterThan(8 * MIB);
      expect(result.localBytes + result.sourceBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );

  test(
    "while it reads the source leaves its part to the others",
    async () => {
      await using cluster = await TestCluster.start({ peers: 3, storeRateBps: 8 * MIB });
      const file = await cluster.put("model.bin", 24 * MIB);
      const [doomed, ...others] = cluster.peers.map((peer) => cluster.get(peer, file.url));
      await until("a third is read", () => cluster.store.stats().bodyBytes > 8 * MIB);
      await cluster.peer(0).daemon.stop("SIGKILL");
      await Promise.all([doomed, ...others]);
      for (const peer of cluster.peers.slice(1))
        expect((await cluster.mustGet(peer, file)).localBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );

  test(
    "offers what it holds when it comes back",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1 });
      const file = await cluster.put("model.bin", 3 * MIB);
      await cluster.mustGet(cluster.peer(0), file);
      await cluster.peer(0).daemon.stop("SIGKILL");
      await cluster.join("normal-1");
      const other = await cluster.join("other");
      expect((await cluster.mustGet(other, file)).peerBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );
});

describe("a peer that is asked to stop", () => {
  test(
    "leaves politely: the scheduler knows at once, and its exit code is 0",
    async () => {
      await using cluster = await TestCluster.start({ peers: 2 });
      expect(await cluster.peer(0).daemon.stop("SIGTERM")).toBe(0);
      await until(
        "it is offline",
        async () => (await cluster.query<Page<HostSummary>>("/v1/hosts?state=offline")).items.length === 1,
        { timeoutMs: 2000 },
      );
    },
    TIMEOUT_MS,
  );
});
