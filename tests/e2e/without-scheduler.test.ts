import { describe, expect, test } from "bun:test";
import { until } from "../fixtures/daemon.ts";
import { TestCluster } from "./test-cluster.ts";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 120_000;

describe("a scheduler killed with -9 that does not come back", () => {
  test(
    "stops no download under way: hosts share the rest of the source among themselves",
    async () => {
      await using cluster = await TestCluster.start({ peers: 4, storeRateBps: 2 * MIB });
      const file = await cluster.put("model.bin", 24 * MIB);
      const gets = Promise.all(cluster.peers.map((peer) => cluster.mustGet(peer, file)));
      await until("something is read", () => cluster.store.stats().bodyBytes > 2 * MIB);
      await cluster.scheduler.daemon.stop("SIGKILL");
      const results = await gets;
      for (const peer of cluster.peers) expect(peer.daemon.log()).toContain("download.without-scheduler");
      const ownBytes = results.map(({ sourceBytes }) => sourceBytes);
      expect(Math.min(...ownBytes)).toBeGreaterThan(0);
      expect(cluster.store.stats().bodyBytes).toBeLessThan(1.2 * file.sizeBytes);
    },
    TIMEOUT_MS,
  );

  test(
    "keeps nobody from a file that is asked for later: its host reads it alone",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1 });
      const file = await cluster.put("model.bin", 8 * MIB);
      await cluster.scheduler.daemon.stop("SIGKILL");
      const { sourceBytes } = await cluster.mustGet(cluster.peer(0), file);
      expect(sourceBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );
});
