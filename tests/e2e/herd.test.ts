import { describe, expect, test } from "bun:test";
import type { HostSummary, Page, Stats, TaskDetail, TaskSummary } from "../../schema/wire/query.ts";
import { TestCluster } from "./test-cluster.ts";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 120_000;

describe("a herd", () => {
  for (const seeds of [0, 1]) {
    test(
      `of 8 hosts with ${seeds} seeds reads the source once in total`,
      async () => {
        await using cluster = await TestCluster.start({ peers: 8, seeds });
        const file = await cluster.put("model.bin", 24 * MIB + 12_345);
        const results = await Promise.all(cluster.peers.map((peer) => cluster.mustGet(peer, file)));
        expect(cluster.store.stats().bodyBytes).toBe(file.sizeBytes);
        for (const result of results) expect(result.sourceBytes + result.peerBytes).toBe(file.sizeBytes);
        const fromSource = results.reduce((sum, result) => sum + result.sourceBytes, 0);
        // Beside a seed others read only what it has long to go for, as on a machine that is busy.
        if (seeds === 0) expect(fromSource).toBe(file.sizeBytes);
        else expect(fromSource).toBeLessThan(file.sizeBytes);

        const tasks = await cluster.query<Page<TaskSummary>>("/v1/tasks");
        expect(tasks.items).toHaveLength(1);
        const task = await cluster.query<TaskDetail>(`/v1/tasks/${results[0]?.taskId}`);
        expect(task.completePeerCount).toBe(8 + seeds);
        expect(task.sourceBytes).toBe(file.sizeBytes);
        expect(task.state).toBe("succeeded");
        const hosts = await cluster.query<Page<HostSummary>>("/v1/hosts?state=online");
        expect(hosts.items).toHaveLength(8 + seeds);
      },
      TIMEOUT_MS,
    );
  }

  test(
    "spread over three shards shares tasks and hosts as one cluster",
    async () => {
      await using cluster = await TestCluster.start({ peers: 3, seeds: 1, schedulerArgs: ["--shards", "3"] });
      const files = await Promise.all(["a", "b", "c", "d"].map((key) => cluster.put(key, 2 * MIB)));
      for (const file of files) {
        await Promise.all(cluster.peers.map((peer) => cluster.mustGet(peer, file)));
      }
      expect(cluster.store.stats().bodyBytes).toBe(files.length * 2 * MIB);
      expect((await cluster.query<Page<TaskSummary>>("/v1/tasks")).items).toHaveLength(4);
      expect((await cluster.query<Page<HostSummary>>("/v1/hosts")).items).toHaveLength(4);
      const stats = await cluster.query<Stats>("/v1/stats");
      expect([stats.shardCount, stats.hostCount, stats.onlineHostCount, stats.taskCount]).toEqual([3, 4, 4, 4]);
      const first = await cluster.query<Page<TaskSummary>>("/v1/tasks?limit=3");
      const rest = await cluster.query<Page<TaskSummary>>(`/v1/tasks?limit=3&cursor=${first.nextCursor}`);
      expect([first.items.length, rest.items.length, rest.nextCursor]).toEqual([3, 1, null]);
    },
    TIMEOUT_MS,
  );

  test(
    "takes an empty file, a tiny one and one of exactly a piece",
    async () => {
      await using cluster = await TestCluster.start({ peers: 2 });
      for (const sizeBytes of [0, 1, 256 * 1024]) {
        const file = await cluster.put(`of-${sizeBytes}`, sizeBytes);
        for (const peer of cluster.peers) expect((await cluster.mustGet(peer, file)).sizeBytes).toBe(sizeBytes);
      }
      expect(cluster.store.stats().bodyBytes).toBe(256 * 1024 + 1);
    },
    TIMEOUT_MS,
  );

  test(
    "that comes one by one is served by those who came before, and the second time from its own disk",
    async () => {
      await using cluster = await TestCluster.start({ peers: 3 });
      const file = await cluster.put("model.bin", 5 * MIB);
      const [first, second, third] = [
        await cluster.mustGet(cluster.peer(0), file),
        await cluster.mustGet(cluster.peer(1), file),
        await cluster.mustGet(cluster.peer(2), file),
      ];
      expect([first.sourceBytes, second.peerBytes, third.peerBytes]).toEqual([
        file.sizeBytes,
        file.sizeBytes,
        file.sizeBytes,
      ]);
      expect((await cluster.mustGet(cluster.peer(1), file)).localBytes).toBe(file.sizeBytes);
      expect(cluster.store.stats().bodyBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );

  test(
    "asks for changed content as another task",
    async () => {
      await using cluster = await TestCluster.start({ peers: 2 });
      const before = await cluster.put("model.bin", MIB);
      const first = await cluster.mustGet(cluster.peer(0), before);
      const after = await cluster.put("model.bin", MIB);
      const second = await cluster.mustGet(cluster.peer(1), after);
      expect(second.taskId).not.toBe(first.taskId);
      expect(second.sourceBytes).toBe(MIB);
    },
    TIMEOUT_MS,
  );
});
