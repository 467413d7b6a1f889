import { describe, expect, test } from "bun:test";
import { open, stat, utimes } from "node:fs/promises";
import type { LocalTask, LocalTaskDetail } from "../../schema/wire/local.ts";
import type { TaskDetail } from "../../schema/wire/query.ts";
import { pantala, type RunningPeer } from "../fixtures/cluster.ts";
import { until } from "../fixtures/daemon.ts";
import { TestCluster } from "./test-cluster.ts";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 120_000;

async function idsOf(peer: RunningPeer): Promise<string[]> {
  const { items } = await peer.local<{ items: LocalTask[] }>("/v1/tasks");
  return items.map(({ taskId }) => taskId);
}

function task(peer: RunningPeer, ...words: string[]) {
  return pantala(["task", ...words, "--socket", peer.socket]);
}

describe("a host with a quota", () => {
  test(
    "makes room for the next task by the least recently used one, and the cluster knows",
    async () => {
      await using cluster = await TestCluster.start({ peers: 0 });
      // Two files and their journals lie below the low watermark.
      const small = await cluster.join("small", { args: ["--disk-quota", "11MiB"] });
      const files = await Promise.all(["a", "b", "c"].map((key) => cluster.put(key, 4 * MIB)));
      const [a, b, c] = files;
      if (a === undefined || b === undefined || c === undefined) return expect.unreachable();
      const first = await cluster.mustGet(small, a);
      const second = await cluster.mustGet(small, b);
      // Used again: now the second one is older.
      expect((await cluster.mustGet(small, a)).localBytes).toBe(4 * MIB);
      const third = await cluster.mustGet(small, c);
      expect(new Set(await idsOf(small))).toEqual(new Set([first.taskId, third.taskId]));
      await until("the scheduler hears", async () => {
        const { peers } = await cluster.query<TaskDetail>(`/v1/tasks/${second.taskId}`);
        return peers.every(({ state }) => state === "left");
      });

      // It comes back like any other, and what makes way is again the oldest.
      expect((await cluster.mustGet(small, b)).sourceBytes).toBe(4 * MIB);
      expect(await idsOf(small)).not.toContain(first.taskId);
    },
    TIMEOUT_MS,
  );

  test(
    "keeps what is pinned over kill -9, and says why something does not fit",
    async () => {
      await using cluster = await TestCluster.start({ peers: 0 });
      const args = ["--disk-quota", "10MiB"];
      const small = await cluster.join("small", { args });
      const pinned = await cluster.mustGet(small, await cluster.put("pinned", 4 * MIB));
      expect(await task(small, "pin", pinned.taskId)).toMatchObject({ exitCode: 0 });
      await small.daemon.stop("SIGKILL");
      const again = await cluster.join("small", { args });
      for (const key of ["b", "c", "d"]) await cluster.mustGet(again, await cluster.put(key, 4 * MIB));
      expect(await idsOf(again)).toContain(pinned.taskId);
      const { stdout } = await task(again, "ls");
      expect(stdout).toMatch(new RegExp(`^${pinned.taskId.slice(0, 12)} .* ago  yes  `, "m"));

      const before = await idsOf(again);
      const tooLarge = await cluster.get(again, (await cluster.put("large", 7 * MIB)).url, ["--overwrite"]);
      expect(tooLarge.exitCode).toBe(8);
      expect(JSON.parse(tooLarge.stderr)).toMatchObject({
        code: "disk-full",
        message: expect.stringContaining("--disk-quota"),
        detail: { neededBytes: 7 * MIB, quotaBytes: 10 * MIB },
      });
      expect(await idsOf(again)).toEqual(before);

      const refused = await task(again, "rm", pinned.taskId);
      expect(refused).toMatchObject({ exitCode: 11, stderr: expect.stringContaining("pantala task unpin") });
      expect(await task(again, "unpin", pinned.taskId)).toMatchObject({ exitCode: 0 });
      expect(await task(again, "rm", pinned.taskId)).toMatchObject({ exitCode: 0 });
    },
    TIMEOUT_MS,
  );

  test(
    "shares a herd's task and goes on with others, one after the other, without a byte too many at the source",
    async () => {
      await using cluster = await TestCluster.start({ peers: 0, seeds: 0 });
      const args = ["--disk-quota", "10MiB"];
      const herd = await Promise.all([1, 2, 3].map((n) => cluster.join(`small-${n}`, { args })));
      for (const key of ["a", "b", "c", "d"]) {
        const file = await cluster.put(key, 4 * MIB);
        const before = cluster.store.stats().bodyBytes;
        await Promise.all(herd.map((peer) => cluster.mustGet(peer, file)));
        expect(cluster.store.stats().bodyBytes - before).toBe(file.sizeBytes);
      }
      for (const peer of herd) expect((await idsOf(peer)).length).toBeLessThanOrEqual(2);
    },
    TIMEOUT_MS,
  );
});

describe("a host that scrubs its store", () => {
  test(
    "drops what has rotted, tells the cluster, and gets it anew when it is asked for",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1 });
      const careful = await cluster.join("careful", { args: ["--scrub-interval", "1s"] });
      const file = await cluster.put("model.bin", 4 * MIB);
      await cluster.mustGet(cluster.peer(0), file);
      const { taskId } = await cluster.mustGet(careful, file);
      const { path, pieceCount } = await careful.local<LocalTaskDetail>(`/v1/tasks/${taskId}`);
      const { atime, mtime } = await stat(path);
      const content = await open(path, "r+");
      const byte = new Uint8Array(1);
      await content.read(byte, 0, 1, 3 * MIB);
      await content.write(Uint8Array.of((byte[0] ?? 0) ^ 1), 0, 1, 3 * MIB);
      await content.close();
      // Rot does not change the time of change.
      await utimes(path, atime, mtime);

      const { host } = await careful.status();
      const known = await until("the scheduler hears", async () => {
        const { peers } = await cluster.query<TaskDetail>(`/v1/tasks/${taskId}`);
        return peers.find(({ hostId, heldPieceCount }) => hostId === host.hostId && heldPieceCount < pieceCount);
      });
      expect(known).toMatchObject({ state: "holding", heldPieceCount: pieceCount - 1 });
      expect(careful.daemon.log()).toContain("piece.rotten");
      const again = await cluster.mustGet(careful, file);
      expect(again).toMatchObject({ peerBytes: file.sizeBytes / pieceCount, sourceBytes: 0 });
    },
    TIMEOUT_MS,
  );
});
