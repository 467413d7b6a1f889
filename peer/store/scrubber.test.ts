import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, open, rm, stat, truncate, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TaskId } from "../../schema/ids.ts";
import { openDiskStore } from "./disk-store.ts";
import { aTask, writeAll, writePieces } from "./fixtures.ts";
import type { PieceStore, StoredTask } from "./piece-store.ts";
import { Scrubber } from "./scrubber.ts";

let folder: string;
let store: PieceStore;
let nowMs = 1_700_000_000_000;
const warnings: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pantala-scrub-"));
  store = await openDiskStore({ folder, nowMs: () => nowMs, warn: (message) => void warnings.push(message) });
  warnings.length = 0;
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** Changes a byte as a failing disk does: without a trace in the time of change. */
async function rot(task: StoredTask, position: number): Promise<void> {
  const { atime, mtime } = await stat(task.path);
  const file = await open(task.path, "r+");
  await file.write(Uint8Array.of(0xee), 0, 1, position);
  await file.close();
  await utimes(task.path, atime, mtime);
}

/** Runs until so many pieces were lost. A second of the clock passes with every look at it. */
async function scrub(pieceCount: number, intervalMs: number): Promise<Map<TaskId, number[]>> {
  const lost = new Map<TaskId, number[]>();
  const { promise, resolve } = Promise.withResolvers<void>();
  let count = 0;
  const scrubber = new Scrubber({
    store,
    intervalMs,
    nowMs: () => (nowMs += 1000),
    random: () => 0.5,
    lost(taskId, pieces) {
      lost.set(taskId, [...(lost.get(taskId) ?? []), ...pieces]);
      count += pieces.length;
      if (count >= pieceCount) resolve();
    },
    warn: (message) => void warnings.push(message),
  });
  await promise;
  scrubber.close();
  return lost;
}

test("a scrubber drops rotten pieces of every task, says which, and leaves the others", async () => {
  const tasks = [await store.open(aTask()), await store.open(aTask()), await store.open(aTask())];
  const [one, two, sound] = tasks;
  if (one === undefined || two === undefined || sound === undefined) return expect.unreachable();
  for (const task of tasks) await writeAll(task);
  const usedAtMs = sound.lastUsedAtMs;
  await rot(one, 70_000);
  await rot(two, 0);
  await rot(two, 163_839);
  const lost = await scrub(3, 1000);
  expect(lost.get(one.info.taskId)).toEqual([1]);
  expect(lost.get(two.info.taskId)).toEqual([0, 2]);
  expect(one).toMatchObject({ heldCount: 2, complete: false });
  expect(sound).toMatchObject({ complete: true, lastUsedAtMs: usedAtMs });
  expect(warnings).toEqual([]);
  await writePieces(one, 1);
  expect(one.complete).toBe(true);
});

test("a scrubber takes a file that ends too early for rotten, and goes on from tick to tick", async () => {
  const task = await store.open(aTask());
  await writePieces(task, 0, 2);
  await truncate(task.path, 70_000);
  expect(await scrub(1, 3000)).toEqual(new Map([[task.info.taskId, [2]]]));
  expect(task.heldCount).toBe(1);
});

test("a scrubber leaves a task alone that is being downloaded", async () => {
  const [coming, whole] = [await store.open(aTask()), await store.open(aTask())];
  await writePieces(coming, 0);
  await writeAll(whole);
  using _download = coming.pin();
  await rot(coming, 5);
  await rot(whole, 5);
  expect(await scrub(1, 1000)).toEqual(new Map([[whole.info.taskId, [0]]]));
  expect(coming.heldCount).toBe(1);
});
