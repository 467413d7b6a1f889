import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { HostSummary, Page } from "../../schema/wire/query.ts";
import { startScheduler } from "../fixtures/cluster.ts";
import { until } from "../fixtures/daemon.ts";
import { TestCluster } from "./test-cluster.ts";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 120_000;

describe("a scheduler that comes back with another number of shards", () => {
  test.each([
    [4, 1],
    [1, 3],
  ])(
    "is found again by every peer: from %d to %d",
    async (from, to) => {
      await using cluster = await TestCluster.start({ peers: 4, schedulerArgs: ["--shards", `${from}`] });
      const file = await cluster.put("model.bin", 2 * MIB);
      await cluster.mustGet(cluster.peer(0), file);
      const port = Number(new URL(cluster.scheduler.url).port);
      await cluster.scheduler.daemon.stop();
      cluster.scheduler = await startScheduler({
        folder: join(cluster.folder, "scheduler"),
        token: cluster.token,
        port,
        args: ["--shards", `${to}`],
      });
      for (const peer of cluster.peers) {
        await until(
          `${peer.name} is back`,
          async () => {
            const { connected, shardCount } = (await peer.status()).scheduler;
            return connected && shardCount === to;
          },
          { timeoutMs: 45_000, daemon: peer.daemon },
        );
      }
      expect((await cluster.query<Page<HostSummary>>("/v1/hosts?state=online")).items.length).toBe(4);
      expect((await cluster.mustGet(cluster.peer(1), file)).peerBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );
});
