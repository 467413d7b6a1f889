import { describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { openDiskStore } from "../../peer/store/disk-store.ts";
import { blake3 } from "../../peer/store/hash.ts";
import type { TaskId } from "../../schema/ids.ts";
import type { Stats, TaskDetail } from "../../schema/wire/query.ts";
import { startScheduler } from "../fixtures/cluster.ts";
import { until } from "../fixtures/daemon.ts";
import { TestCluster } from "./test-cluster.ts";

const TASKS = 3000;
const PIECE_BYTES = 65_536;
const TIMEOUT_MS = 180_000;

const taskIdOf = (number: number) => number.toString(16).padStart(64, "0") as TaskId;

/** A data folder of a peer that holds the first half of each task. */
async function fill(folder: string): Promise<void> {
  const store = await openDiskStore({ folder: join(folder, "store"), nowMs: () => Date.now(), warn: () => {} });
  const bytes = new Uint8Array(PIECE_BYTES).fill(3);
  const digest = blake3(bytes);
  for (let number = 0; number < TASKS; number++) {
    const task = await store.open({
      taskId: taskIdOf(number),
      url: "http://source.example/part.bin",
      tag: "",
      application: "",
      version: "etag:1",
      sizeBytes: PIECE_BYTES * 2,
      pieceLengthBytes: PIECE_BYTES,
      ranged: true,
    });
    await task.write(0, bytes, digest);
  }
  await store.close();
}

async function allKnown(cluster: TestCluster): Promise<void> {
  await until(
    "the scheduler knows every task",
    async () => (await cluster.query<Stats>("/v1/stats")).taskCount === TASKS,
    { timeoutMs: 60_000 },
  );
  const last = await cluster.query<TaskDetail>(`/v1/tasks/${taskIdOf(TASKS - 1)}`);
  expect(last.peers.map((peer) => peer.heldPieceCount)).toEqual([1]);
}

describe(`a peer with ${TASKS} tasks`, () => {
  test(
    "joins at its first attempt, and states them all to a scheduler that lost everything",
    async () => {
      await using cluster = await TestCluster.start({ peers: 0 });
      const folder = join(cluster.folder, "many");
      await fill(folder);
      const peer = await cluster.join("many", { folder });
      await allKnown(cluster);
      expect(peer.daemon.log()).not.toContain("channel.lost");

      const port = Number(new URL(cluster.scheduler.url).port);
      await cluster.scheduler.daemon.stop();
      await rm(join(cluster.folder, "scheduler"), { recursive: true });
      cluster.scheduler = await startScheduler({
        folder: join(cluster.folder, "scheduler"),
        token: cluster.token,
        port,
      });
      await allKnown(cluster);
      expect((await peer.status()).scheduler.connected).toBe(true);
    },
    TIMEOUT_MS,
  );
});
