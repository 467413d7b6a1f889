import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  appendFile,
  chmod,
  link,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TaskInfo } from "../../schema/wire/task.ts";
import { type DiskStoreOptions, openDiskStore } from "./disk-store.ts";
import { aTask, completeTask, pieceOf, writeAll, writePieces } from "./fixtures.ts";
import { pieceStoreConformance } from "./piece-store.conformance.ts";
import type { PieceStore } from "./piece-store.ts";

const NOW_MS = 1_700_000_000_000;
const warnings: string[] = [];
let folder: string;
let opened: PieceStore[] = [];

async function openStore(options: Partial<DiskStoreOptions> = {}): Promise<PieceStore> {
  const warn = (message: string) => void warnings.push(message);
  const store = await openDiskStore({ folder, nowMs: () => NOW_MS, warn, ...options });
  opened.push(store);
  return store;
}

function folderOf(info: TaskInfo): string {
  return join(folder, "tasks", info.taskId.slice(0, 2), info.taskId);
}

/** Writes a byte of the content behind the store's back. */
async function rot(info: TaskInfo, position: number): Promise<void> {
  const file = await open(join(folderOf(info), "content"), "r+");
  await file.write(new Uint8Array([0xee]), 0, 1, position);
  await file.close();
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pantala-store-"));
  warnings.length = 0;
});
afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()));
  opened = [];
  await rm(folder, { recursive: true, force: true });
});

pieceStoreConformance("disk", async () => {
  const store = await openStore();
  return { store, nowMs: NOW_MS, [Symbol.asyncDispose]: () => store.close() };
});

describe("openDiskStore()", () => {
  test("takes up what an earlier process held", async () => {
    const info = aTask();
    const first = await openStore();
    const task = await first.open(info);
    await writePieces(task, 0, 1);
    await task.drop(0);
    await first.close();

    const second = await openStore({ nowMs: () => NOW_MS + 1000 });
    const again = second.get(info.taskId);
    expect(again).toMatchObject({ info, heldCount: 1, version: 0, createdAtMs: NOW_MS, completedAtMs: null });
    expect(await again?.read(1)).toEqual(pieceOf(info, 1));
    expect(warnings).toEqual([]);
  });

  test("remembers when a task was completed, and protects its content", async () => {
    const info = aTask();
    const first = await openStore();
    const task = await first.open(info);
    await completeTask(task);
    expect((await stat(task.path)).mode & 0o777).toBe(0o444);
    expect(await readFile(task.path)).toEqual(Buffer.concat([0, 1, 2].map((piece) => pieceOf(info, piece))));
    await first.close();
    const second = await openStore({ nowMs: () => NOW_MS + 1000 });
    expect(second.get(info.taskId)).toMatchObject({ complete: true, completedAtMs: NOW_MS });
  });

  test("ignores and cuts off a torn or damaged end of the journal", async () => {
    const info = aTask();
    const journal = join(folderOf(info), "journal");
    const first = await openStore();
    await writePieces(await first.open(info), 0, 1);
    await first.close();
    for (const tail of [new Uint8Array(17).fill(3), new Uint8Array(40), new Uint8Array(400).fill(0xff)]) {
      await appendFile(journal, tail);
      const store = await openStore();
      const task = await store.open(info);
      expect(task.heldCount).toBe(2);
      expect((await stat(journal)).size).toBe(80);
      await store.close();
    }
    // A damaged record takes those behind it along, never those before.
    const bytes = await readFile(journal);
    bytes[50] = (bytes[50] ?? 0) ^ 1;
    await writeFile(journal, bytes);
    const store = await openStore();
    expect(store.get(info.taskId)?.held).toEqual(new Uint8Array([0b001]));
  });

  test("passes over what is no sound task, with a warning, and takes it up when it is opened anew", async () => {
    const info = aTask();
    const first = await openStore();
    await completeTask(await first.open(info));
    await first.close();
    const [noRecord, badRecord, foreign] = [aTask(), aTask(), aTask()];
    for (const task of [noRecord, badRecord, foreign]) await mkdir(folderOf(task), { recursive: true });
    await writeFile(join(folderOf(badRecord), "task.json"), "{");
    await writeFile(join(folderOf(foreign), "task.json"), await readFile(join(folderOf(info), "task.json")));
    await mkdir(join(folder, "tasks", "zz"));
    await mkdir(join(folder, "tasks", "aa", "..%2f..%2fetc"), { recursive: true });
    await writeFile(join(folder, "tasks", "stray"), "");
    await mkdir(join(folder, "tasks", "00"), { recursive: true });
    await symlink("/etc", join(folder, "tasks", "00", "0".repeat(64)));

    const store = await openStore();
    expect(store.list().map((task) => task.info.taskId)).toEqual([info.taskId]);
    expect(warnings).toHaveLength(7);
    for (const task of [noRecord, badRecord, foreign]) {
      expect(warnings.join("\n")).toContain(folderOf(task));
      await writeAll(await store.open(task));
      expect(store.get(task.taskId)?.complete).toBe(true);
    }
  });

  test("looks at unsynced pieces again after another boot, and drops those that were lost", async () => {
    const info = aTask();
    const first = await openStore({ bootId: "boot-1" });
    await writePieces(await first.open(info), 0, 1);
    await first.close();
    await rot(info, 64 * 1024 + 5);

    const sameBoot = await openStore({ bootId: "boot-1" });
    expect(sameBoot.get(info.taskId)?.heldCount).toBe(2);
    await sameBoot.close();
    const nextBoot = await openStore({ bootId: "boot-2" });
    expect(nextBoot.get(info.taskId)?.held).toEqual(new Uint8Array([0b001]));
    expect(warnings).toEqual([expect.stringContaining("1 pieces were damaged")]);
    await nextBoot.close();
    await rot(info, 5);
    const verifiedBoot = await openStore({ bootId: "boot-2" });
    expect(verifiedBoot.get(info.taskId)?.heldCount).toBe(1);
    await verifiedBoot.close();
    const unknownBoot = await openStore({ bootId: null });
    expect(unknownBoot.get(info.taskId)?.heldCount).toBe(0);
  });

  test("drops rotten pieces of a complete task that was written through a hard link", async () => {
    const info = aTask();
    const first = await openStore();
    const task = await first.open(info);
    await completeTask(task);
    await first.close();
    const delivered = join(folder, "delivered");
    await link(task.path, delivered);
    await chmod(delivered, 0o644);
    await rot(info, 3);

    const second = await openStore();
    const again = await second.open(info);
    expect(again.held).toEqual(new Uint8Array([0b110]));
    expect(again.completedAtMs).toBeNull();
    // The user's file is left as the user made it; ours is whole again.
    await writePieces(again, 0);
    expect((await readFile(delivered))[3]).toBe(0xee);
    expect((await readFile(again.path)).subarray(0, 64 * 1024)).toEqual(Buffer.from(pieceOf(info, 0)));
    expect(again.complete).toBe(true);
  });

  test("keeps a complete task whose content was touched but not changed", async () => {
    const info = aTask();
    const first = await openStore();
    const task = await first.open(info);
    await completeTask(task);
    await first.close();
    await rot(info, 3);
    const file = await open(task.path, "r+");
    await file.write(pieceOf(info, 0).subarray(3, 4), 0, 1, 3);
    await file.close();
    const second = await openStore();
    expect(second.get(info.taskId)?.complete).toBe(true);
    expect(warnings).toEqual([]);
  });

  for (const harm of ["cut short", "made longer", "removed"] as const) {
    test(`survives content that was ${harm}`, async () => {
      const info = aTask();
      const first = await openStore();
      const task = await first.open(info);
      await completeTask(task);
      await first.close();
      if (harm === "removed") await rm(task.path);
      else await truncate(task.path, harm === "cut short" ? 70_000 : 500_000);
      const second = await openStore();
      const again = await second.open(info);
      expect(again.heldCount).toBe({ "cut short": 1, "made longer": 3, removed: 0 }[harm]);
      await writeAll(again);
      expect(await readFile(again.path)).toEqual(Buffer.concat([0, 1, 2].map((piece) => pieceOf(info, piece))));
    });
  }

  test("refuses a folder that another store has open, naming the process", async () => {
    await openStore();
    await expect(openStore()).rejects.toMatchObject({
      code: "in-use",
      message: expect.stringContaining(`in use by process ${process.pid}`),
    });
  });

  test("says store-failed for a folder that cannot be used", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(openStore({ folder: join(folder, "file", "store") })).rejects.toMatchObject({
      code: "store-failed",
      message: expect.stringContaining(join(folder, "file", "store")),
    });
  });

  test("ends a removal that was interrupted", async () => {
    await mkdir(join(folder, "removed", "half"), { recursive: true });
    await writeFile(join(folder, "removed", "half", "content"), "bytes");
    await openStore();
    expect(await readdir(join(folder, "removed"))).toEqual([]);
  });
});

describe("a store on disk", () => {
  test("remembers pins and, give or take some minutes, the last use over a restart", async () => {
    let nowMs = NOW_MS;
    const store = await openStore({ nowMs: () => nowMs });
    const [task, other] = [await store.open(aTask()), await store.open(aTask())];
    await task.keep(true);
    await completeTask(task);
    nowMs += 3_600_000;
    task.noteUse();
    const usedAtMs = task.lastUsedAtMs;
    await store.close();
    nowMs += 3_600_000;
    const again = await openStore({ nowMs: () => nowMs });
    expect(again.get(task.info.taskId)).toMatchObject({ pinned: true, complete: true, lastUsedAtMs: usedAtMs });
    expect(again.get(other.info.taskId)).toMatchObject({ pinned: false });
  });

  test("writes the last use down at most once in five minutes", async () => {
    let nowMs = NOW_MS;
    const store = await openStore({ nowMs: () => nowMs });
    const task = await store.open(aTask());
    const saved = async () => Math.round((await stat(join(folderOf(task.info), "task.json"))).mtimeMs);
    const before = await saved();
    nowMs += 299_000;
    task.noteUse();
    await task.measure();
    expect(await saved()).toBe(before);
    nowMs += 1000;
    task.noteUse();
    while ((await saved()) !== nowMs) await Bun.sleep(1);
  });

  test("takes a last use in the future for one just now", async () => {
    const store = await openStore();
    const { info } = await store.open(aTask());
    await store.close();
    const again = await openStore({ nowMs: () => NOW_MS - 86_400_000 });
    expect(again.get(info.taskId)?.lastUsedAtMs).toBe(NOW_MS - 86_400_000);
  });

  test("measures blocks, not holes, and nothing to gain from a content that has hard links", async () => {
    const store = await openStore();
    const task = await store.open(aTask({ sizeBytes: 64 * 1024 * 1024, pieceLengthBytes: 1024 * 1024 }));
    expect((await task.measure()).allocatedBytes).toBeLessThan(64 * 1024);
    await writePieces(task, 40, 7);
    const { allocatedBytes, freedBytes } = await task.measure();
    expect(allocatedBytes).toBeGreaterThan(2 * 1024 * 1024);
    expect(allocatedBytes).toBeLessThan(3 * 1024 * 1024);
    expect(freedBytes).toBe(allocatedBytes);
    await link(task.path, join(folder, "output"));
    expect(await task.measure()).toEqual({ allocatedBytes, freedBytes: 0 });
  });

  test("gives the space of a removed task back", async () => {
    const store = await openStore();
    const info = aTask();
    await writeAll(await store.open(info));
    await store.remove(info.taskId);
    expect(await readdir(join(folder, "tasks", info.taskId.slice(0, 2)))).toEqual([]);
    expect(await readdir(join(folder, "removed"))).toEqual([]);
  });

  test("finds content that was changed while it runs when the task is opened again", async () => {
    const store = await openStore();
    const info = aTask();
    const task = await store.open(info);
    await completeTask(task);
    await store.close();
    const again = await openStore();
    await rot(info, 100_000);
    expect((await again.open(info)).held).toEqual(new Uint8Array([0b101]));
  });

  for (const linked of [false, true]) {
    test(`takes a dropped piece of a complete task again while others are read${linked ? ", and leaves links as they are" : ""}`, async () => {
      const store = await openStore();
      const task = await store.open(aTask());
      await completeTask(task);
      if (linked) await link(task.path, join(folder, "output"));
      const reading = new AbortController();
      const reader = (async () => {
        while (!reading.signal.aborted) await task.read(1);
      })();
      for (let round = 0; round < 5; round++) {
        await task.drop(0);
        await writePieces(task, 0);
        expect(await task.read(0)).toEqual(pieceOf(task.info, 0));
        expect(task.complete).toBe(true);
      }
      reading.abort();
      await reader;
    });
  }

  test("keeps few files open, however many tasks there are", async () => {
    const store = await openStore({ maxIdleFiles: 4 });
    const tasks = await Promise.all(Array.from({ length: 20 }, () => store.open(aTask())));
    await Promise.all(tasks.map(writeAll));
    await Promise.all(tasks.map((task) => task.read(0)));
    const open = (await readdir("/proc/self/fd")).length;
    await store.close();
    expect(open - (await readdir("/proc/self/fd")).length).toBeLessThan(12);
  });

  test("writes nothing after it was closed", async () => {
    const store = await openStore();
    const task = await store.open(aTask());
    await store.close();
    await store.close();
    await expect(writePieces(task, 0)).rejects.toMatchObject({ code: "store-failed" });
    await expect(store.open(aTask())).rejects.toMatchObject({ code: "store-failed" });
  });
});
