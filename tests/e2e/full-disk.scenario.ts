/** Run by `full-disk.test.ts` inside a tiny file system of its own, where `TMPDIR` leads: real processes on a disk that is
 *  too small. Prints what came of it as one JSON object. */
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { LocalTask } from "../../schema/wire/local.ts";
import type { RunningPeer } from "../fixtures/cluster.ts";
import { until } from "../fixtures/daemon.ts";
import { TestCluster } from "./test-cluster.ts";

const MIB = 1024 * 1024;

const tasksOf = async (peer: RunningPeer) => (await peer.local<{ items: LocalTask[] }>("/v1/tasks")).items;

/** More files, one after the other, than the disk has room for. */
async function manyFiles(): Promise<unknown> {
  await using cluster = await TestCluster.start({ peers: 1 });
  const peer = cluster.peer(0);
  for (let n = 0; n < 8; n++) {
    const file = await cluster.put(`file-${n}`, 8 * MIB);
    await cluster.mustGet(peer, file);
    await rm(join(cluster.folder, "store", "bucket", `file-${n}`));
    await rm(cluster.outputOf(peer));
  }
  return { states: (await tasksOf(peer)).map(({ state }) => state) };
}

/** Others fill the disk in the middle of a download, twice, and go away. */
async function filledByOthers(): Promise<unknown> {
  await using cluster = await TestCluster.start({ peers: 1, storeRateBps: 6 * MIB });
  const peer = cluster.peer(0);
  const old = await cluster.mustGet(peer, await cluster.put("old", 2 * MIB));
  await rm(cluster.outputOf(peer));
  const file = await cluster.put("large", 12 * MIB);
  const getting = cluster.get(peer, file.url, ["--overwrite"]);
  const begun = ({ state, heldPieceCount }: LocalTask) => state === "running" && heldPieceCount > 0;
  await until("its first piece is here", async () => (await tasksOf(peer)).some(begun));
  await fill(join(cluster.folder, "first"));
  await until("the old task makes way", async () => (await tasksOf(peer)).every(({ taskId }) => taskId !== old.taskId));
  await fill(join(cluster.folder, "second"));
  const { exitCode, stderr } = await getting;
  await Promise.all(["first", "second"].map((name) => rm(join(cluster.folder, name))));
  const { localBytes, sourceBytes } = await cluster.mustGet(peer, file);
  return { exitCode, problem: JSON.parse(stderr), resumed: localBytes > 0, bytes: localBytes + sourceBytes };
}

/** Writes until nothing goes in any more. */
async function fill(path: string): Promise<void> {
  const file = await open(path, "w");
  for (let length = MIB; length >= 4096; length /= 2) {
    const bytes = new Uint8Array(length);
    while (
      await file.write(bytes).then(
        ({ bytesWritten }) => bytesWritten === length,
        () => false,
      )
    );
  }
  await file.close();
}

console.log(JSON.stringify({ manyFiles: await manyFiles(), filledByOthers: await filledByOthers() }));
