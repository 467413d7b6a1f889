import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseTaskId, type TaskId } from "../../schema/ids.ts";
import { DEFAULT_EVICTION_POLICY, type EvictableTask, type EvictionPolicy, planEviction } from "./evict.ts";

const GIB = 1024 ** 3;
const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;
const plenty = { freeBytes: 1e15, neededBytes: 0 };
const quotaOf = (quotaBytes: number): EvictionPolicy => ({ ...DEFAULT_EVICTION_POLICY, quotaBytes });

function idOf(n: number): TaskId {
  return parseTaskId(n.toString(16).padStart(64, "0")) ?? expect.unreachable();
}

/** A whole GiB, used an hour ago. */
function aKept(n: number, fields: Partial<EvictableTask> = {}): EvictableTask {
  return {
    taskId: idOf(n),
    allocatedBytes: GIB,
    freedBytes: fields.allocatedBytes ?? GIB,
    awaitedBytes: 0,
    lastUsedAtMs: NOW_MS - HOUR_MS,
    pinned: false,
    busy: false,
    complete: true,
    ...fields,
  };
}

const usedAgo = (hours: number) => ({ lastUsedAtMs: NOW_MS - hours * HOUR_MS });

function evicted(...parameters: Parameters<typeof planEviction>): string[] {
  return planEviction(...parameters).evictions.map(({ taskId, reason }) => `${Number.parseInt(taskId, 16)} ${reason}`);
}

describe("planEviction()", () => {
  test("evicts nothing up to the high watermark", () => {
    const tasks = Array.from({ length: 9 }, (_, n) => aKept(n));
    expect(planEviction(tasks, plenty, quotaOf(10 * GIB), NOW_MS)).toEqual({ evictions: [], shortage: undefined });
  });

  test("above the high watermark evicts the least recently used until the low one", () => {
    const tasks = Array.from({ length: 10 }, (_, n) => aKept(n, usedAgo(n === 3 ? 50 : n)));
    expect(evicted(tasks, plenty, quotaOf(10 * GIB), NOW_MS)).toEqual(["3 room", "9 room"]);
  });

  test("keeps a share of the disk free when there is no quota", () => {
    const tasks = Array.from({ length: 10 }, (_, n) => aKept(n, usedAgo(n)));
    expect(evicted(tasks, { freeBytes: 2 * GIB, neededBytes: 0 }, DEFAULT_EVICTION_POLICY, NOW_MS)).toEqual([]);
    expect(evicted(tasks, { freeBytes: GIB / 2, neededBytes: 0 }, DEFAULT_EVICTION_POLICY, NOW_MS)).toEqual([
      "9 room",
      "8 room",
    ]);
  });

  test("counts what downloads still await and what is asked for now", () => {
    const tasks = [aKept(1), aKept(2, { busy: true, complete: false, awaitedBytes: 4 * GIB })];
    expect(evicted(tasks, plenty, quotaOf(10 * GIB), NOW_MS)).toEqual([]);
    expect(evicted(tasks, { ...plenty, neededBytes: 4 * GIB }, quotaOf(10 * GIB), NOW_MS)).toEqual(["1 room"]);
  });

  test("evicts a partial task before a complete one used at the same time", () => {
    const tasks = [aKept(1), aKept(2, { complete: false }), aKept(3)];
    expect(evicted(tasks, plenty, quotaOf(3 * GIB), NOW_MS)).toEqual(["2 room"]);
  });

  test("evicts what nobody used for longer than the time it is kept, though there is room", () => {
    const policy = { ...DEFAULT_EVICTION_POLICY, unusedTtlMs: 24 * HOUR_MS };
    const old = usedAgo(24.1);
    const tasks = [
      aKept(1, old),
      aKept(2, usedAgo(24)),
      aKept(3, { ...old, pinned: true }),
      aKept(4, { ...old, busy: true }),
    ];
    expect(evicted(tasks, plenty, policy, NOW_MS)).toEqual(["1 unused"]);
  });

  test("does not evict hard-linked contents for a disk that would get nothing back", () => {
    const tasks = [aKept(1, { freedBytes: 0, ...usedAgo(9) }), aKept(2), aKept(3)];
    expect(evicted(tasks, { freeBytes: 0, neededBytes: 0 }, DEFAULT_EVICTION_POLICY, NOW_MS)).toEqual(["2 room"]);
    expect(evicted(tasks, plenty, quotaOf(3 * GIB), NOW_MS)).toEqual(["1 room"]);
  });

  test("tells which bound a request breaks whatever is evicted, and by how much", () => {
    const tasks = [aKept(1), aKept(2, { pinned: true })];
    const over = planEviction(tasks, { ...plenty, neededBytes: 3 * GIB }, quotaOf(3 * GIB), NOW_MS);
    expect(over.shortage).toMatchObject({ limit: "quota", capacityBytes: 3 * GIB, missingBytes: GIB });
    const full = planEviction(tasks, { freeBytes: GIB, neededBytes: 3 * GIB }, DEFAULT_EVICTION_POLICY, NOW_MS);
    expect(full.shortage).toMatchObject({ limit: "disk", capacityBytes: 3 * GIB, missingBytes: GIB });
  });
});

const bytes = fc.integer({ min: 0, max: 100 });
const kept = fc
  .record({
    allocatedBytes: bytes,
    linked: fc.boolean(),
    awaitedBytes: fc.constantFrom(0, 0, 0, 17),
    lastUsedAtMs: fc.integer({ min: NOW_MS - 20, max: NOW_MS }),
    pinned: fc.boolean(),
    busy: fc.boolean(),
    complete: fc.boolean(),
  })
  .map(({ linked, ...fields }) => ({ ...fields, freedBytes: linked ? 0 : fields.allocatedBytes }));
const world = fc.record({
  tasks: fc.array(kept, { maxLength: 30 }).map((fields) => fields.map((task, n) => ({ ...task, taskId: idOf(n) }))),
  room: fc.record({ freeBytes: bytes, neededBytes: bytes }),
  policy: fc.record({
    quotaBytes: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.constant(Number.POSITIVE_INFINITY)),
    highShare: fc.constantFrom(0.9, 1),
    lowShare: fc.constantFrom(0.1, 0.8),
    unusedTtlMs: fc.constantFrom(10, Number.POSITIVE_INFINITY),
  }),
});

describe("whatever is kept and asked for, planEviction()", () => {
  test("never evicts a pinned or busy task, nor any twice", () => {
    fc.assert(
      fc.property(world, ({ tasks, room, policy }) => {
        const { evictions } = planEviction(tasks, room, policy, NOW_MS);
        const byId = new Map(tasks.map((task) => [task.taskId, task]));
        for (const { taskId } of evictions) expect(byId.get(taskId)).toMatchObject({ pinned: false, busy: false });
        expect(new Set(evictions.map(({ taskId }) => taskId)).size).toBe(evictions.length);
      }),
    );
  });

  test("gets down to the low watermark of a bound that was passed, unless nothing is left that would help", () => {
    fc.assert(
      fc.property(world, ({ tasks, room, policy }) => {
        const gone = new Set(planEviction(tasks, room, policy, NOW_MS).evictions.map(({ taskId }) => taskId));
        const sum = (of: (task: (typeof tasks)[number]) => number) => tasks.reduce((all, task) => all + of(task), 0);
        const asked = sum((task) => task.allocatedBytes + task.awaitedBytes) + room.neededBytes;
        for (const [capacity, given] of [
          [policy.quotaBytes, "allocatedBytes"],
          [sum((task) => task.allocatedBytes) + room.freeBytes, "freedBytes"],
        ] as const) {
          const taken = asked - sum((task) => (gone.has(task.taskId) ? task[given] : 0));
          const helpers = tasks.filter(
            (task) => !(task.pinned || task.busy || gone.has(task.taskId)) && task[given] > 0,
          );
          if (taken > policy.highShare * capacity) expect(helpers).toEqual([]);
        }
      }),
    );
  });

  test("keeps every task used later than one that was evicted for the only bound there is", () => {
    fc.assert(
      fc.property(world, ({ tasks, room, policy }) => {
        const noQuota = { ...policy, quotaBytes: Number.POSITIVE_INFINITY };
        const alone = tasks.map((task) => ({ ...task, freedBytes: task.allocatedBytes + 1 }));
        const plan = planEviction(alone, room, noQuota, NOW_MS);
        const gone = new Set(plan.evictions.map(({ taskId }) => taskId));
        const latestGone = Math.max(...plan.evictions.map(({ lastUsedAtMs }) => lastUsedAtMs));
        for (const task of alone) {
          if (!gone.has(task.taskId) && !task.pinned && !task.busy) {
            expect(task.lastUsedAtMs).toBeGreaterThanOrEqual(latestGone);
          }
        }
      }),
    );
  });

  test("does not depend on the order of the tasks", () => {
    fc.assert(
      fc.property(world, ({ tasks, room, policy }) => {
        expect(planEviction(tasks.toReversed(), room, policy, NOW_MS)).toEqual(
          planEviction(tasks, room, policy, NOW_MS),
        );
      }),
    );
  });
});
