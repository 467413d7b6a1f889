/** Which tasks make way: those nobody used for long, and the least recently used ones when room runs short. */
import type { TaskId } from "../../schema/ids.ts";

export interface EvictionPolicy {
  /** Most bytes the store may take; Infinity leaves it to what the disk has. */
  readonly quotaBytes: number;
  /** Shares of the quota, and of what the disk has for us: eviction begins above `highShare` and goes on until no more
   *  than `lowShare` is taken. */
  readonly highShare: number;
  readonly lowShare: number;
  /** A task unused for longer goes; Infinity keeps it. */
  readonly unusedTtlMs: number;
}

/** Shares leave room for what is on its way, and for other users of the disk; Dragonfly evicts from 80 down to 60 % of
 *  the whole file system, and keeps an unused task for 30 days. */
export const DEFAULT_EVICTION_POLICY: EvictionPolicy = Object.freeze({
  quotaBytes: Number.POSITIVE_INFINITY,
  highShare: 0.9,
  lowShare: 0.8,
  unusedTtlMs: 30 * 86_400_000,
});

export interface EvictableTask {
  readonly taskId: TaskId;
  /** What it takes on disk. */
  readonly allocatedBytes: number;
  /** What the disk gets back when it is removed: nothing of a content that users have hard links to. */
  readonly freedBytes: number;
  /** Still to come, when it is being downloaded. */
  readonly awaitedBytes: number;
  readonly lastUsedAtMs: number;
  readonly pinned: boolean;
  /** Read, sent or written just now. */
  readonly busy: boolean;
  readonly complete: boolean;
}

export interface Eviction {
  readonly taskId: TaskId;
  /** `unused`: for longer than the policy keeps it. `room`: to get down to the low watermark. */
  readonly reason: "unused" | "room";
  /** The use that was the last one when this was planned. */
  readonly lastUsedAtMs: number;
  readonly allocatedBytes: number;
}

/** A bound that cannot be kept, whatever is evicted. */
export interface Shortage {
  readonly limit: "quota" | "disk";
  readonly capacityBytes: number;
  readonly missingBytes: number;
}

export interface EvictionPlan {
  /** In this order. */
  readonly evictions: readonly Eviction[];
  /** What still lacks after all of them. */
  readonly shortage: Shortage | undefined;
}

/** What is to be evicted now. `freeBytes`: what the disk has left. `neededBytes`: asked for on top of what is kept and
 *  awaited. Neither pinned nor busy tasks ever go. */
export function planEviction(
  tasks: readonly EvictableTask[],
  room: { readonly freeBytes: number; readonly neededBytes: number },
  policy: EvictionPolicy,
  nowMs: number,
): EvictionPlan {
  const allocatedBytes = tasks.reduce((sum, task) => sum + task.allocatedBytes, 0);
  const awaitedBytes = tasks.reduce((sum, task) => sum + task.awaitedBytes, 0);
  const limits = [
    new Limit("quota", policy.quotaBytes, (task) => task.allocatedBytes),
    new Limit("disk", allocatedBytes + room.freeBytes, (task) => task.freedBytes),
  ];
  for (const limit of limits) limit.takenBytes = allocatedBytes + awaitedBytes + room.neededBytes;
  const evictions = new Map<TaskId, Eviction>();
  const evict = (task: EvictableTask, reason: Eviction["reason"]): void => {
    const { taskId, lastUsedAtMs } = task;
    evictions.set(taskId, { taskId, reason, lastUsedAtMs, allocatedBytes: task.allocatedBytes });
    for (const limit of limits) limit.takenBytes -= limit.given(task);
  };

  const idle = tasks.filter((task) => !task.pinned && !task.busy);
  const unused = idle.filter((task) => nowMs - task.lastUsedAtMs > policy.unusedTtlMs);
  for (const task of unused.toSorted(leastRecentlyUsedFirst)) evict(task, "unused");
  for (const limit of limits) {
    // Nearly always: a plan is made whenever a task is opened, and sorting all of them would be felt.
    if (limit.takenBytes <= policy.highShare * limit.capacityBytes) continue;
    for (const task of idle.toSorted(leastRecentlyUsedFirst)) {
      if (limit.takenBytes <= policy.lowShare * limit.capacityBytes) break;
      if (!evictions.has(task.taskId) && limit.given(task) > 0) evict(task, "room");
    }
  }
  return {
    evictions: [...evictions.values()],
    shortage: limits
      .map((limit) => limit.shortage())
      .filter((shortage) => shortage.missingBytes > 0)
      .toSorted((a, b) => b.missingBytes - a.missingBytes)[0],
  };
}

class Limit {
  readonly #name: Shortage["limit"];
  readonly capacityBytes: number;
  /** What it gets back when a task goes. */
  readonly given: (task: EvictableTask) => number;
  takenBytes = 0;

  constructor(name: Shortage["limit"], capacityBytes: number, given: (task: EvictableTask) => number) {
    this.#name = name;
    this.capacityBytes = capacityBytes;
    this.given = given;
  }

  shortage(): Shortage {
    const { capacityBytes, takenBytes } = this;
    return { limit: this.#name, capacityBytes, missingBytes: takenBytes - capacityBytes };
  }
}

/** Of tasks used at the same time a partial one goes first: it is worth less. */
function leastRecentlyUsedFirst(a: EvictableTask, b: EvictableTask): number {
  return (
    a.lastUsedAtMs - b.lastUsedAtMs ||
    Number(a.complete) - Number(b.complete) ||
    (a.taskId < b.taskId ? -1 : Number(a.taskId > b.taskId))
  );
}
