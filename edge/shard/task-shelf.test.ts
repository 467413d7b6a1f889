import { describe, expect, test } from "bun:test";
import { allPieces, announceOf, aTask, finishOf, hostIdOf } from "../core/testing/fixtures.ts";
import { memoryDirectory } from "../store/memory.ts";
import { ShardBench } from "./testing/shard-bench.ts";
import type { TestClient } from "./testing/test-client.ts";

const wholeOf = (task: ReturnType<typeof aTask>) => announceOf(task, { wanting: false, have: allPieces(task) });
const tasksUpTo = (count: number) => Array.from({ length: count }, (_, at) => aTask(at + 1, 4));
const HOUR_MS = 3_600_000;

/** Hosts that beat, so that they stay online over a long time. */
async function stayOnline(bench: ShardBench, clients: readonly TestClient[], durationMs: number): Promise<void> {
  const load = {
    activeUploads: 0,
    activeDownloads: 0,
    uploadBytesPerSecond: 0,
    downloadBytesPerSecond: 0,
    storedBytes: 0,
    freeBytes: 0,
    residentBytes: 0,
  };
  for (let passed = 0; passed < durationMs; passed += 60_000) {
    for (const client of clients) await client.say({ type: "heartbeat", load });
    await bench.wait(60_000);
  }
}

describe("memory", () => {
  test("keeps few settled tasks, and what was dropped is as it was when it is asked for", async () => {
    const bench = await ShardBench.start(memoryDirectory(), { settledTasksInMemory: 4 });
    const holder = await bench.join(1);
    for (const task of tasksUpTo(40)) await holder.say(wholeOf(task));
    expect(bench.actor.tasksInMemory).toBeLessThanOrEqual(5);

    const child = await bench.join(2);
    for (const task of tasksUpTo(40)) {
      await child.say(announceOf(task));
      expect(child.take("leases")).toEqual([]);
      expect(child.take("neighbours")[0]?.add.map((neighbour) => neighbour.hostId)).toEqual([hostIdOf(1)]);
      await child.say(finishOf(task, "left"));
    }
    expect((await bench.actor.tasks({ limit: 100 })).every((task) => task.completePeerCount === 1)).toBe(true);
  });

  test("keeps every task that runs", async () => {
    const bench = await ShardBench.start(memoryDirectory(), { settledTasksInMemory: 4 });
    const child = await bench.join(1);
    for (const task of tasksUpTo(40)) await child.say(announceOf(task));
    expect(bench.actor.tasksInMemory).toBe(40);
    expect((await bench.actor.stats()).leaseCount).toBe(40);
  });

  test("makes room for pieces of a long task by dropping settled ones", async () => {
    const bench = await ShardBench.start(memoryDirectory(), { maxPieces: 1_000 });
    const host = await bench.join(1);
    for (const task of tasksUpTo(20)) await host.say(wholeOf({ ...task, sizeBytes: task.sizeBytes * 25 }));
    expect(host.take("refused")).toEqual([]);
    await host.say(announceOf(aTask(99, 500)));
    expect(host.take("refused")).toEqual([]);
  });

  test("does not drop what the directory does not have yet", async () => {
    const directory = { ...memoryDirectory(), apply: () => Promise.reject(new Error("disk on fire")) };
    const bench = await ShardBench.start(directory, { settledTasksInMemory: 4 });
    const holder = await bench.join(1);
    for (const task of tasksUpTo(20)) await holder.say(wholeOf(task));
    expect(bench.actor.tasksInMemory).toBe(20);
    await bench.wait(HOUR_MS);
    expect(bench.actor.tasksInMemory).toBe(20);
  });
});

describe("what a host does not state any more", () => {
  test("is left, also in tasks that are not in memory", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const before = await bench.join(1);
    for (const task of tasksUpTo(3)) await before.say(wholeOf(task));
    await bench.restart();
    const after = await bench.join(1, { startedAtMs: 5_000 });
    await after.say(wholeOf(aTask(2, 4)));
    await bench.wait(bench.policy.offlineGraceMs);
    const rows = await bench.directory.peersOf(hostIdOf(1), 10);
    expect(rows.map((row) => row.taskId)).toEqual([aTask(2, 4).taskId]);
    expect((await bench.actor.tasks({ limit: 10, host: hostIdOf(1) })).length).toBe(1);
  });
});

describe("a sweep", () => {
  test("removes tasks nobody took part in for long, and keeps those somebody holds", async () => {
    const bench = await ShardBench.start(memoryDirectory(), { settledTasksInMemory: 0 });
    const holder = await bench.join(1);
    const [kept, left] = [aTask(1, 4), aTask(2, 4)];
    await holder.say(wholeOf(kept));
    await holder.say(wholeOf(left));
    await holder.say(finishOf(left, "left"));
    await stayOnline(bench, [holder], bench.policy.idleTaskKeepMs - HOUR_MS);
    expect((await bench.actor.tasks({ limit: 10 })).length).toBe(2);
    await stayOnline(bench, [holder], 2 * HOUR_MS);
    expect((await bench.actor.tasks({ limit: 10 })).map((task) => task.taskId)).toEqual([kept.taskId]);
  });

  test("finds tasks whose hosts went while they were not in memory: they become idle, then go", async () => {
    const bench = await ShardBench.start(memoryDirectory(), { settledTasksInMemory: 0 });
    const holder = await bench.join(1);
    await holder.say(wholeOf(aTask(1, 4)));
    await holder.say({ type: "bye" });
    expect((await bench.directory.task(aTask(1, 4).taskId))?.task.state).toBe("succeeded");
    // The query tells the truth before the sweep writes it.
    expect((await bench.actor.task(aTask(1, 4).taskId))?.state).toBe("idle");
    await bench.wait(HOUR_MS);
    expect((await bench.directory.task(aTask(1, 4).taskId))?.task.state).toBe("idle");
    await bench.wait(bench.policy.idleTaskKeepMs + HOUR_MS);
    expect(await bench.directory.countTasks()).toBe(0);
  });

  test("removes tasks nobody took part in for long also when they are still in memory", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const holder = await bench.join(1);
    await holder.say(wholeOf(aTask(1, 4)), wholeOf(aTask(2, 4)), finishOf(aTask(2, 4), "left"));
    await holder.say(announceOf(aTask(3, 4)), finishOf(aTask(3, 4), "failed"));
    await stayOnline(bench, [holder], bench.policy.idleTaskKeepMs + 2 * HOUR_MS);
    expect((await bench.actor.tasks({ limit: 10 })).map((task) => task.taskId)).toEqual([aTask(1, 4).taskId]);
    expect(bench.actor.tasksInMemory).toBe(1);
  });

  test("looks through a big directory step by step", async () => {
    const bench = await ShardBench.start(memoryDirectory(), { settledTasksInMemory: 0, idleTaskKeepMs: 0 });
    const holder = await bench.join(1);
    for (const task of tasksUpTo(250)) await holder.say(wholeOf(task), finishOf(task, "left"));
    await bench.wait(HOUR_MS);
    expect(await bench.directory.countTasks()).toBeGreaterThan(100);
    await bench.wait(10_000);
    expect(await bench.directory.countTasks()).toBe(0);
  });
});

test("a host that is forgotten is in no list, and what it moved stays counted", async () => {
  const bench = await ShardBench.start(memoryDirectory());
  const host = await bench.join(1);
  await host.say(wholeOf(aTask(1, 4)));
  await host.say({ type: "bye" });
  await bench.wait(bench.policy.hostForgetMs);
  expect(await bench.directory.hosts()).toEqual([]);
  expect(await bench.actor.tasks({ limit: 10, host: hostIdOf(1) })).toEqual([]);
  expect((await bench.actor.hosts({ limit: 10 })).length).toBe(0);
});
