import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LocalTask, LocalTaskDetail } from "../../schema/wire/local.ts";
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

async function tasksOf(peer: RunningPeer): Promise<readonly LocalTask[]> {
  return (await peer.local<{ items: LocalTask[] }>("/v1/tasks")).items;
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
      expect(taken).toContain("event=settings.reloaded changed=uploadRate\n");
      expect(await child).toMatchObject({ peerBytes: file.sizeBytes, sourceBytes: 0 });
      const pending = "event=settings.pending settings=idc ";
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

test(
  "a peer with a source or download rate, of the host or of a task, reads its source at that rate, and each byte once",
  async () => {
    await using cluster = await TestCluster.start({ peers: 0 });
    const flags = ["--source-rate", "--task-source-rate", "--download-rate", "--task-download-rate"];
    const slow = async (flag: string) => {
      const peer = await cluster.join(`with${flag}`, { args: [flag, "3MiB"] });
      return await cluster.mustGet(peer, await cluster.put(flag, 8 * MIB));
    };
    for (const { sourceBytes, elapsedMs } of await Promise.all(flags.map(slow))) {
      expect(sourceBytes).toBe(8 * MIB);
      expect(elapsedMs).toBeGreaterThan(2000);
      expect(elapsedMs).toBeLessThan(30_000);
    }
    expect(cluster.store.stats().bodyBytes).toBe(4 * 8 * MIB);
  },
  TIMEOUT_MS,
);

test(
  "a scheduler with a source rate has all hosts together read a task at that rate, and each byte once",
  async () => {
    const schedulerArgs = ["--task-source-rate", "4MiB"];
    await using cluster = await TestCluster.start({ peers: 3, schedulerArgs });
    const file = await cluster.put("model", 16 * MIB);
    const results = await Promise.all(cluster.peers.map((peer) => cluster.mustGet(peer, file)));
    // What a second allows is granted at once.
    for (const { elapsedMs } of results) expect(elapsedMs).toBeGreaterThan(2800);
    expect(cluster.store.stats().bodyBytes).toBe(16 * MIB);
  },
  TIMEOUT_MS,
);

test(
  "a peer reads a store no faster than its rule says, until SIGHUP lifts that",
  async () => {
    await using cluster = await TestCluster.start({ peers: 0 });
    const file = await cluster.put("model.bin", 32 * MIB);
    const prefix = `s3://${new URL(file.url).host}`;
    const { peer, reload } = await joinWith(cluster, `stores: [{ prefix: "${prefix}", rate: 1MiB }]\n`);
    const getting = cluster.mustGet(peer, file);
    await Bun.sleep(3000);
    const early = cluster.store.stats().bodyBytes;
    await reload(`stores: [{ prefix: "${prefix}" }]\n`);
    const { sourceBytes, elapsedMs } = await getting;
    expect(early).toBeLessThan(16 * MIB);
    expect(elapsedMs).toBeLessThan(28_000);
    expect(sourceBytes).toBe(32 * MIB);
  },
  TIMEOUT_MS,
);

describe("a peer that fetches from others", () => {
  test(
    "with a download rate does so at that rate, asks nobody twice for what it holds up itself, and is lifted by SIGHUP",
    async () => {
      await using cluster = await TestCluster.start({ peers: 2 });
      const { peer, reload } = await joinWith(cluster, "downloadRate: 1MiB\n");
      const file = await cluster.put("model.bin", 128 * MIB);
      for (const parent of cluster.peers.slice(0, 2)) await cluster.mustGet(parent, file);
      const served = async () => {
        const all = await Promise.all(
          cluster.peers.slice(0, 2).map(async (parent) => (await parent.status()).servedBytes),
        );
        return all.reduce((sum, bytes) => sum + bytes);
      };
      const before = await served();
      const child = cluster.mustGet(peer, file);
      const taskId = await until("it has begun", async () => (await tasksOf(peer))[0]?.taskId);
      const got = async () => (await peer.local<LocalTaskDetail>(`/v1/tasks/${taskId}`)).peerBytes;
      await until("what was saved up is spent", async () => (await got()) > MIB);
      const [fromMs, from] = [performance.now(), await got()];
      await Bun.sleep(2 * WINDOW_MS);
      const rate = (((await got()) - from) * 1000) / (performance.now() - fromMs);
      expect(rate).toBeGreaterThan(0.4 * MIB);
      expect(rate).toBeLessThan(1.6 * MIB);
      expect((await peer.local<LocalTaskDetail>(`/v1/tasks/${taskId}`)).stall).toBeNull();
      await reload("");
      expect(await child).toMatchObject({ peerBytes: file.sizeBytes, sourceBytes: 0 });
      // The last pieces may be asked of both.
      expect((await served()) - before).toBeLessThan(file.sizeBytes + 8 * MIB);
    },
    TIMEOUT_MS,
  );

  test(
    "shares its places fairly among downloads, and never opens more",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1 });
      const { peer: parent, reload } = await joinWith(cluster, "taskUploadRate: 1MiB\n");
      const files = await Promise.all(["a", "b", "c"].map((key) => cluster.put(key, 16 * MIB)));
      for (const file of files) await cluster.mustGet(parent, file);
      const narrow = await cluster.join("narrow", { args: ["--max-downloads", "2", "--memory-budget", "1MiB"] });
      const children = files.map((file, n) => cluster.startGet(narrow, file, `get-${n}`));
      const most = { requests: 0 };
      await until("all three move side by side", async () => {
        const tasks = await tasksOf(narrow);
        const details = await Promise.all(
          tasks.map((task) => narrow.local<LocalTaskDetail>(`/v1/tasks/${task.taskId}`)),
        );
        const active = details.flatMap(({ neighbours }) => neighbours.map(({ activeRequests }) => activeRequests));
        most.requests = Math.max(most.requests, ...active);
        return details.length === 3 && details.every(({ peerBytes, state }) => peerBytes > 0 && state === "running");
      });
      expect(most.requests).toBeGreaterThan(0);
      expect(most.requests).toBeLessThanOrEqual(2);
      await reload("");
      for (const child of children) expect(await child.exited).toBe(0);
    },
    TIMEOUT_MS,
  );
});

test(
  "a peer whose quota is lowered evicts at once, and takes more again when it is raised",
  async () => {
    await using cluster = await TestCluster.start({ peers: 0 });
    const { peer, reload } = await joinWith(cluster, "diskQuota: 100MiB\n");
    const [a, b] = await Promise.all(["a", "b"].map((key) => cluster.put(key, 4 * MIB)));
    if (a === undefined || b === undefined) return expect.unreachable();
    await cluster.mustGet(peer, a);
    const { taskId } = await cluster.mustGet(peer, b);
    await reload("diskQuota: 6MiB\n");
    await until("the older one has gone", async () => (await tasksOf(peer)).length === 1);
    expect((await tasksOf(peer))[0]?.taskId).toBe(taskId);
    await reload("diskQuota: 100MiB\n");
    await cluster.mustGet(peer, a);
    expect((await tasksOf(peer)).length).toBe(2);
  },
  TIMEOUT_MS,
);
