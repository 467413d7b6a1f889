/** What one shard knows, in memory. Plain data: the files beside this one change it. */
import type { HostId, TaskId } from "../../schema/ids.ts";
import { createTallies, type Tallies } from "../../schema/wire/tallies.ts";
import type { Host } from "./host.ts";
import type { Bytes, Task } from "./task.ts";

export const NEVER_MS = Number.POSITIVE_INFINITY;

export interface Swarm {
  readonly shard: number;
  readonly shardCount: number;
  /** When this memory began: what was stored before is remembered, not known. */
  readonly startedAtMs: number;
  /** Channels outlived the memory before: hosts without one were gone already. */
  awoke: boolean;
  readonly hosts: Map<HostId, Host>;
  /** Hosts with role `seed` that are online. */
  readonly seeds: Set<Host>;
  readonly tasks: Map<TaskId, Task>;
  /** Pieces of all tasks in memory. */
  pieceCount: number;
  /** Bytes reported since this memory began. */
  readonly bytes: Bytes;
  /** Refusals since this memory began. */
  readonly tallies: Tallies;
  /** No deadline is earlier than this; `tick` finds the exact one anew. */
  wakeAtMs: number;
}

export function createSwarm(options: { shard: number; shardCount: number; nowMs: number }): Swarm {
  return {
    shard: options.shard,
    shardCount: options.shardCount,
    startedAtMs: options.nowMs,
    awoke: false,
    hosts: new Map(),
    seeds: new Set(),
    tasks: new Map(),
    pieceCount: 0,
    bytes: { sourceBytes: 0, peerBytes: 0 },
    tallies: createTallies(),
    wakeAtMs: NEVER_MS,
  };
}

export function keepTask(swarm: Swarm, task: Task): void {
  if (swarm.tasks.has(task.info.taskId)) return;
  swarm.tasks.set(task.info.taskId, task);
  swarm.pieceCount += task.pieceCount;
}
