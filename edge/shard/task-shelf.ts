/** Which tasks are in memory: all that run, and those asked for lately. The rest waits in the directory. */

import type { HostId, TaskId } from "../../schema/ids.ts";
import type { Log } from "../../schema/log.ts";
import type { Change, TaskRecord } from "../core/change.ts";
import { isComplete } from "../core/peer.ts";
import { leaveBehind, takeDirtyPacks } from "../core/peer-packs.ts";
import type { Policy } from "../core/policy.ts";
import { dropTask, isDroppable, isExpectedBack, restoreTask, takeTask } from "../core/restore.ts";
import { taskStateOf } from "../core/settle.ts";
import { NEVER_MS, type Swarm } from "../core/swarm.ts";
import type { Task } from "../core/task.ts";
import { type Directory, isOutage } from "../store/directory.ts";

export interface TaskShelfComponents {
  readonly directory: Directory;
  readonly swarm: Swarm;
  readonly policy: Policy;
  readonly nowMs: () => number;
  readonly log: Log;
}

/** Stored tasks looked at in one step of a sweep, so that a big directory does not hold up the shard. */
const SWEEP_STEP = 100;
const SWEEP_PAUSE_MS = 1000;

export class TaskShelf {
  /** When the next step of a sweep is due; `NEVER_MS` while nothing is stored. */
  sweepAtMs: number;
  #components: TaskShelfComponents;
  #sweepCursor: TaskId | undefined;
  #evictAbove: { readonly tasks: number; readonly pieces: number };

  constructor(components: TaskShelfComponents) {
    this.#components = components;
    const { settledTasksInMemory, maxPieces } = components.policy;
    this.#evictAbove = { tasks: settledTasksInMemory, pieces: maxPieces / 2 };
    this.sweepAtMs = components.nowMs() + components.policy.sweepIntervalMs;
  }

  /** Takes a task into memory when it is stored and not there yet. */
  async load(taskId: TaskId): Promise<void> {
    const { swarm, policy, nowMs } = this.#components;
    if (swarm.tasks.has(taskId)) return;
    if (this.sweepAtMs === NEVER_MS) this.sweepAtMs = nowMs() + policy.sweepIntervalMs;
    try {
      const task = await this.#restore(taskId);
      if (task !== undefined) takeTask(swarm, task, policy, nowMs());
    } catch (error) {
      // Its hosts will state what they hold; what only the directory knew is lost to this memory.
      if (!isOutage(error)) this.#components.log("warn", "task.unreadable", { task: taskId, error: String(error) });
    }
  }

  /** The task as it is in memory, else as it is stored. */
  async peek(taskId: TaskId): Promise<Task | undefined> {
    const live = this.#components.swarm.tasks.get(taskId);
    if (live !== undefined) return live;
    const task = await this.#restore(taskId);
    // Its hosts may have gone while nobody looked.
    if (task !== undefined && !this.#isAwaited(task)) task.state = taskStateOf(task);
    return task;
  }

  /** Lets go of the tasks that were not asked for longest, beyond `settledTasksInMemory` or half of `maxPieces`. Looks
   *  only when a good deal came since it looked last. */
  evict(): void {
    const { swarm, policy } = this.#components;
    if (swarm.tasks.size <= this.#evictAbove.tasks && swarm.pieceCount <= this.#evictAbove.pieces) return;
    const settled = [...swarm.tasks.values()].filter(isDroppable).sort((a, b) => a.touchedAtMs - b.touchedAtMs);
    for (const [at, task] of settled.entries()) {
      if (settled.length - at <= policy.settledTasksInMemory && swarm.pieceCount <= policy.maxPieces / 2) break;
      dropTask(swarm, task);
    }
    this.#evictAbove = {
      tasks: Math.max(policy.settledTasksInMemory, swarm.tasks.size + policy.settledTasksInMemory / 8),
      pieces: Math.max(policy.maxPieces / 2, swarm.pieceCount + policy.maxPieces / 16),
    };
  }

  /** One step through the stored tasks: those nobody takes part in become idle, and are removed after `idleTaskKeepMs`. */
  async sweep(): Promise<Change[]> {
    const { directory, swarm, nowMs, policy } = this.#components;
    if (nowMs() < this.sweepAtMs) return [];
    // Set first: a directory that fails is asked again in a while, not at once.
    this.sweepAtMs = nowMs() + SWEEP_PAUSE_MS;
    const cursor = this.#sweepCursor;
    const page = await directory.tasks(cursor === undefined ? { limit: SWEEP_STEP } : { limit: SWEEP_STEP, cursor });
    this.#sweepCursor = page.length < SWEEP_STEP ? undefined : page.at(-1)?.info.taskId;
    const isEmpty = cursor === undefined && page.length === 0 && swarm.tasks.size === 0;
    if (isEmpty) this.sweepAtMs = NEVER_MS;
    else if (this.#sweepCursor === undefined) this.sweepAtMs = nowMs() + policy.sweepIntervalMs;
    const changes: Change[] = [];
    for (const record of page) changes.push(...(await this.#tidy(record)));
    return changes;
  }

  /** What hosts hold according to their rows and did not state: they have left those tasks. */
  async leaveUnstated(hostIds: readonly HostId[]): Promise<Change[]> {
    const { directory, swarm } = this.#components;
    if (hostIds.length === 0) return [];
    const unstated = new Map<TaskId, Set<HostId>>();
    for (const { taskId, hostId } of await directory.partsOf(new Set(hostIds))) {
      if (swarm.hosts.get(hostId)?.tasks.has(taskId) !== false) continue;
      unstated.set(taskId, (unstated.get(taskId) ?? new Set()).add(hostId));
    }
    const changes: Change[] = [];
    for (const [taskId, hosts] of unstated) changes.push(...(await this.#leave(taskId, hosts)));
    return changes;
  }

  async #leave(taskId: TaskId, hostIds: ReadonlySet<HostId>): Promise<Change[]> {
    const { swarm, nowMs } = this.#components;
    const task = swarm.tasks.get(taskId) ?? (await this.#restore(taskId));
    if (task === undefined) return [];
    for (const hostId of hostIds) {
      const peer = task.peers.get(hostId);
      if (peer !== undefined) leaveBehind(peer, nowMs());
    }
    return task.state === "running" ? [] : takeDirtyPacks(task);
  }

  async #tidy(record: TaskRecord): Promise<Change[]> {
    const { swarm, nowMs, policy } = this.#components;
    const { taskId } = record.info;
    const live = swarm.tasks.get(taskId);
    const isOver = record.state === "idle" || record.state === "failed";
    if (isOver && nowMs() - record.updatedAtMs < policy.idleTaskKeepMs) return [];
    // What is in memory keeps its own state right; only removing it is left to do.
    if (live !== undefined && !(isOver && isDroppable(live))) return [];
    const task = live ?? (await this.#restore(taskId));
    if (task === undefined || isUsed(task) || this.#isAwaited(task)) return [];
    if (live !== undefined) dropTask(swarm, live);
    if (isOver) return [{ kind: "remove-task", taskId }];
    return [{ kind: "put-task", task: { ...record, state: "idle", updatedAtMs: nowMs() } }];
  }

  async #restore(taskId: TaskId): Promise<Task | undefined> {
    const { directory, swarm, nowMs } = this.#components;
    const stored = await directory.task(taskId);
    return stored === undefined ? undefined : restoreTask(swarm, stored, nowMs());
  }

  #isAwaited(task: Task): boolean {
    const { swarm, policy, nowMs } = this.#components;
    return [...task.peers.values()].some((peer) => isExpectedBack(swarm, peer, policy, nowMs()));
  }
}

/** Somebody has a piece of it, or wants one. */
function isUsed(task: Task): boolean {
  if (task.running.size > 0) return true;
  for (const peer of task.traders) if (peer.heldCount > 0 || isComplete(peer)) return true;
  return false;
}
