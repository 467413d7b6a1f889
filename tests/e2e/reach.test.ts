import { expect, test } from "bun:test";
import { TestCluster } from "./test-cluster.ts";

const MIB = 1024 * 1024;

test("a holder that nobody can reach does not keep others from the source, which they read once together", async () => {
  await using cluster = await TestCluster.start({ peers: 2 });
  // Nothing listens there, as behind NAT or under a wrong --advertise.
  const hidden = await cluster.join("hidden", { args: ["--advertise", "http://127.0.0.1:9"] });
  const file = await cluster.put("model.bin", 6 * MIB);
  await cluster.mustGet(hidden, file);
  const before = cluster.store.stats().bodyBytes;
  const results = await Promise.all(
    cluster.peers.slice(0, 2).map((peer) => cluster.mustGet(peer, file, ["--timeout", "60s"])),
  );
  expect(cluster.store.stats().bodyBytes - before).toBe(file.sizeBytes);
  expect(results.reduce((sum, result) => sum + result.sourceBytes, 0)).toBe(file.sizeBytes);
  expect(results.reduce((sum, result) => sum + result.peerBytes, 0)).toBe(file.sizeBytes);
}, 120_000);
