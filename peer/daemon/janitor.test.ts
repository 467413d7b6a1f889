import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TaskId } from "../../schema/ids.ts";
import { isProblemError } from "../../schema/problem.ts";
import { DEFAULT_EVICTION_POLICY, type EvictionPolicy } from "../core/evict.ts";
import { openDiskStore } from "../store/disk-store.ts";
import { aTask, pieceOf, writeAll, writePieces } from "../store/fixtures.ts";
import type { PieceStore, StoredTask } from "../store/piece-store.ts";
import { Janitor, type JanitorComponents } from "./janitor.ts";

const MIB = 1024 * 1024;
let folder: string;
let nowMs: number;
let store: PieceStore;
let janitor: Janitor;
let events: string[];

async function keepHouse(policy: Partial<EvictionPolicy>, overrides: Partial<JanitorComponents> = {}): Promise<void> {
  store = await openDiskStore({
    folder,
    nowMs: () => nowMs,
    warn: (message) => expect(message).toBe(""),
    room: {
      reserve: (taskId, bytes) => janitor.reserve(taskId, bytes),
      relieve: (bytes) => janitor.relieve(bytes),
    },
  });
  employ(policy, overrides);
}

/** Another janitor for the same store. */
function employ(policy: Partial<EvictionPolicy>, overrides: Partial<JanitorComponents> = {}): void {
  janitor = new Janitor({
    store,
    folder,
    policy: () => ({ ...DEFAULT_EVICTION_POLICY, ...policy }),
    remove: (taskId, lastUsedAtMs) => store.remove(taskId, lastUsedAtMs),
    sending: () => false,
    nowMs: () => nowMs,
    log: (_, event, { task, reason }) => void events.push(`${event} ${task} ${reason}`),
    ...overrides,
  });
}

const aMebibyte = () => aTask({ sizeBytes: MIB });

/** A minute later than the one before. */
async function aKeptTask(): Promise<StoredTask> {
  nowMs += 60_000;
  const task = await store.open(aMebibyte());
  await writeAll(task);
  return task;
}

async function keptTasks(count: number): Promise<StoredTask[]> {
  const tasks: StoredTask[] = [];
  while (tasks.length < count) tasks.push(await aKeptTask());
  return tasks;
}

const kept = (tasks: readonly StoredTask[]) => tasks.map(({ info }) => store.get(info.taskId) !== undefined);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pantala-janitor-"));
  nowMs = 1_700_000_000_000;
  events = [];
});
afterEach(async () => {
  janitor.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

describe("tidy()", () => {
  test("evicts from above the high watermark to below the low one, and says what and why", async () => {
    await keepHouse({});
    const tasks = await keptTasks(5);
    employ({ quotaBytes: 5 * MIB });
    await janitor.tidy();
    expect(kept(tasks)).toEqual([false, false, true, true, true]);
    expect(events).toEqual(tasks.slice(0, 2).map(({ info }) => `task.evicted ${info.taskId} room`));
    await janitor.tidy();
    expect(events).toHaveLength(2);
  });

  test("evicts what nobody used for too long, wherever the watermarks are", async () => {
    await keepHouse({ unusedTtlMs: 3_600_000 });
    const tasks = await keptTasks(4);
    await tasks[1]?.keep(true);
    nowMs = (tasks[2]?.lastUsedAtMs ?? 0) + 3_600_001;
    tasks[0]?.noteUse();
    await janitor.tidy();
    expect(kept(tasks)).toEqual([true, true, false, true]);
    expect(events).toEqual([`task.evicted ${tasks[2]?.info.taskId} unused`]);
  });

  test("spares what is pinned, read or sent, however old it is", async () => {
    await keepHouse({});
    const tasks = await keptTasks(5);
    const sent = tasks[2]?.info.taskId;
    await tasks[0]?.keep(true);
    employ({ quotaBytes: MIB }, { sending: (taskId: TaskId) => taskId === sent });
    using _reader = tasks[1]?.pin();
    await janitor.tidy();
    expect(kept(tasks)).toEqual([true, true, true, false, false]);
  });
});

describe("opening a task", () => {
  test("that would pass the quota evicts the least recently used first", async () => {
    await keepHouse({ quotaBytes: 4 * MIB });
    const tasks = await keptTasks(3);
    tasks[0]?.noteUse();
    const next = await aKeptTask();
    expect(kept([...tasks, next])).toEqual([true, false, true, true]);
  });

  test("larger than the quota is refused by name and number, and evicts nothing", async () => {
    await keepHouse({ quotaBytes: 4 * MIB });
    const tasks = await keptTasks(3);
    const problem = await store.open(aTask({ sizeBytes: 5 * MIB })).catch((error: unknown) => error);
    expect(problem).toMatchObject({
      code: "disk-full",
      detail: { folder, neededBytes: 5 * MIB, quotaBytes: 4 * MIB, missingBytes: expect.any(Number) },
    });
    const text = isProblemError(problem) ? problem.message : "";
    for (const part of [`${5 * MIB} bytes`, `${4 * MIB} bytes`, "--disk-quota", "PANTALA_DISK_QUOTA"]) {
      expect(text).toContain(part);
    }
    expect(kept(tasks)).toEqual([true, true, true]);
  });

  test("larger than the disk is refused, and evicts nothing", async () => {
    await keepHouse({});
    const tasks = await keptTasks(2);
    const huge = aTask({ sizeBytes: 2 ** 43, pieceLengthBytes: 16 * MIB });
    await expect(store.open(huge)).rejects.toMatchObject({ code: "disk-full", detail: { neededBytes: 2 ** 43 } });
    expect(kept(tasks)).toEqual([true, true]);
  });

  test("is refused when nothing may make way, and evicts nothing in vain", async () => {
    await keepHouse({ quotaBytes: 4 * MIB });
    const tasks = await keptTasks(3);
    await tasks[0]?.keep(true);
    await tasks[1]?.keep(true);
    await expect(store.open(aTask({ sizeBytes: 3 * MIB }))).rejects.toMatchObject({ code: "disk-full" });
    expect(kept(tasks)).toEqual([true, true, true]);
  });

  test("at the same time as another does not take the same room", async () => {
    await keepHouse({ quotaBytes: 2 * MIB });
    const half = () => store.open(aTask({ sizeBytes: MIB + 200_000 }));
    const opened = await Promise.allSettled([half(), half()]);
    expect(opened.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  });

  test("again and again, and removing it each time, takes no room that is left", async () => {
    await keepHouse({ quotaBytes: 3 * MIB });
    for (let round = 0; round < 5; round++) {
      const task = await store.open(aTask({ sizeBytes: 2 * MIB }));
      await store.remove(task.info.taskId);
    }
    expect(store.list()).toEqual([]);
  });

  test("counts what a running download has still to get, and gives it back when that ends", async () => {
    await keepHouse({ quotaBytes: 4 * MIB });
    const running = await store.open(aTask({ sizeBytes: 3 * MIB }));
    const download = running.pin();
    await writePieces(running, 0);
    await expect(store.open(aTask({ sizeBytes: 2 * MIB }))).rejects.toMatchObject({ code: "disk-full" });
    download[Symbol.dispose]();
    await store.open(aTask({ sizeBytes: 2 * MIB }));
    expect(store.get(running.info.taskId)).toBeDefined();
  });

  test("of which a part is kept needs room for the rest only, and does not evict that part", async () => {
    await keepHouse({ quotaBytes: 4 * MIB });
    const partial = await store.open(aTask({ sizeBytes: 3 * MIB }));
    await writePieces(partial, ...Array.from({ length: 32 }, (_, piece) => piece));
    const whole = await aKeptTask();
    nowMs += 60_000;
    const again = await store.open(partial.info);
    expect(again.heldBytes).toBe(2 * MIB);
    expect(kept([whole])).toEqual([false]);
  });

  test("does not evict a task that is used between plan and removal", async () => {
    await keepHouse(
      { quotaBytes: 2 * MIB },
      {
        remove: async (taskId, lastUsedAtMs) => {
          store.get(taskId)?.noteUse();
          await store.remove(taskId, lastUsedAtMs);
        },
      },
    );
    const task = await aKeptTask();
    nowMs += 60_000;
    await expect(store.open(aTask({ sizeBytes: 1.5 * MIB }))).rejects.toMatchObject({ code: "disk-full" });
    expect(kept([task])).toEqual([true]);
  });
});

test("many who open, read and leave a few tasks at once never lose one under their hands, nor pass the quota", async () => {
  await keepHouse({ quotaBytes: 6 * MIB });
  const infos = Array.from({ length: 12 }, aMebibyte);
  const refused: unknown[] = [];
  let served = 0;
  const visit = async (n: number): Promise<void> => {
    const info = infos[n % infos.length] ?? expect.unreachable();
    nowMs += 7;
    try {
      const task = await store.open(info);
      using _reader = task.pin();
      if (!task.complete) await writeAll(task);
      const bytes = await Promise.all([0, 7, 15].map((piece) => task.read(piece)));
      expect(bytes).toEqual([0, 7, 15].map((piece) => pieceOf(info, piece)));
      served++;
    } catch (error) {
      refused.push(isProblemError(error) ? error.code : error);
    }
    expect(store.storedBytes()).toBeLessThanOrEqual(6 * MIB);
  };
  const visitor = async (step: number): Promise<void> => {
    for (let visits = 0; visits < 40; visits++) await visit(visits * step + step);
  };
  await Promise.all([1, 5, 7, 11].map(visitor));
  expect(refused).toEqual([]);
  expect(served).toBe(160);
  expect(events.length).toBeGreaterThan(20);
});

describe("relieve()", () => {
  test("evicts something whatever the figures say, once for all who ask at the same time", async () => {
    await keepHouse({});
    const tasks = await keptTasks(10);
    expect(await Promise.all([1, 2, 3].map(() => janitor.relieve(65_536)))).toEqual([true, true, true]);
    expect(kept(tasks).filter((here) => !here)).toHaveLength(3);
  });

  test("says that nothing made way when nothing may", async () => {
    await keepHouse({});
    const [task] = await keptTasks(1);
    await task?.keep(true);
    expect(await janitor.relieve(65_536)).toBe(false);
  });
});
