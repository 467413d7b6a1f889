import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunningPeer } from "../fixtures/cluster.ts";
import { until } from "../fixtures/daemon.ts";
import { TestCluster } from "./test-cluster.ts";

const MIB = 1024 * 1024;
/** A download that kept to the narrow rate of these tests would take longer. */
const TIMEOUT_MS = 100_000;
const WINDOW_MS = 2000;

/** A peer with a YAML file of its own. */
async function joinWith(cluster: TestCluster, yaml: string, args: readonly string[] = []) {
  const config = join(cluster.folder, `${crypto.randomUUID()}.yaml`);
  await writeFile(config, yaml);
  const peer = await cluster.join("limited", { args: ["--config", config, ...args] });
  /** Writes the file and has it read; resolves with what the peer says about it. */
  const reload = async (text: string): Promise<string> => {
    await writeFile(config, text);
    const before = peer.daemon.log().length;
    peer.daemon.signal("SIGHUP");
    return await until(
      "the peer has read its settings again",
      () => {
        const said = peer.daemon.log().slice(before);
        return /settings\.(reloaded|refused).*\n/.test(said) && said;
      },
      { daemon: peer.daemon },
    );
  };
  return { peer, reload };
}

/** Bytes a second that a peer serves, from when it has begun, over a few seconds. */
async function servedRateOf(peer: RunningPeer): Promise<number> {
  const served = async () => (await peer.status()).servedBytes;
  const first = await served();
  // What was saved up goes first.
  await until("it serves", async () => (await served()) > first + MIB / 2);
  const [fromMs, from] = [performance.now(), await served()];
  await Bun.sleep(WINDOW_MS);
  return (((await served()) - from) * 1000) / (performance.now() - fromMs);
}

describe("a peer with an upload rate", () => {
  test(
    "serves at that rate, and at full speed once SIGHUP lifts it in the middle of a download",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1 });
      const { peer, reload } = await joinWith(cluster, "uploadRate: 1MiB\n");
      const file = await cluster.put("model.bin", 128 * MIB);
      await cluster.mustGet(peer, file);
      const child = cluster.mustGet(cluster.peer(0), file);
      const rate = await servedRateOf(peer);
      expect(rate).toBeGreaterThan(0.5 * MIB);
      expect(rate).toBeLessThan(1.4 * MIB);

      // A fault in the file changes nothing.
      const refused = await reload("uploadRate: 200MiB\nmaxUploads: lots\n");
      expect(refused).toContain("event=settings.fault");
      expect(refused).toContain("maxUploads in ");
      expect(await servedRateOf(peer)).toBeLessThan(1.4 * MIB);

      const taken = await reload("logLevel: info\nidc: elsewhere\n");
      expect(taken).toContain('event=settings.reloaded changed="[\\"uploadRate\\"]"');
      expect(await child).toMatchObject({ peerBytes: file.sizeBytes, sourceBytes: 0 });
      const pending = 'event=settings.pending settings="[\\"idc\\"]"';
      await until("what must wait is told", () => peer.daemon.log().includes(pending));
    },
    TIMEOUT_MS,
  );

  test(
    "of each task serves two tasks at twice that rate, and takes the first limit while it serves",
    async () => {
      await using cluster = await TestCluster.start({ peers: 2 });
      const { peer, reload } = await joinWith(cluster, "taskUploadRate: 1MiB\n");
      const files = await Promise.all(["a", "b"].map((key) => cluster.put(key, 32 * MIB)));
      for (const file of files) await cluster.mustGet(peer, file);
      const children = files.map((file, n) => cluster.mustGet(cluster.peer(n), file));
      const rate = await servedRateOf(peer);
      expect(rate).toBeGreaterThan(1.4 * MIB);
      expect(rate).toBeLessThan(1.4 * 2 * MIB);
      await reload("uploadRate: 512KiB\n");
      expect(await servedRateOf(peer)).toBeLessThan(0.8 * MIB);
      await reload("");
      for (const child of await Promise.all(children)) expect(child.peerBytes).toBe(32 * MIB);
    },
    TIMEOUT_MS,
  );
});

describe("a peer with a source rate", () => {
  test.each(["--source-rate", "--task-source-rate"])(
    "%s reads its source at that rate, to the last byte and each of them once",
    async (flag) => {
      await using cluster = await TestCluster.start({ peers: 0 });
      const slow = await cluster.join("slow", { args: [flag, "3MiB"] });
      const file = await cluster.put("model.bin", 12 * MIB);
      const { sourceBytes, elapsedMs } = await cluster.mustGet(slow, file);
      expect(sourceBytes).toBe(file.sizeBytes);
      expect(cluster.store.stats().bodyBytes).toBe(file.sizeBytes);
      expect(elapsedMs).toBeGreaterThan(2500);
      expect(elapsedMs).toBeLessThan(30_000);
    },
    TIMEOUT_MS,
  );
});
