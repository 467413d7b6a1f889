/** Keeps the store within its room: evicts what nobody used for long, and the least recently used tasks when room runs
 *  short; finds room before a download begins, and once more when the disk is full all the same. */

import { setImmediate } from "node:timers/promises";
import type { TaskId } from "../../schema/ids.ts";
import type { Log } from "../../schema/log.ts";
import { isProblemError } from "../../schema/problem.ts";
import {
  type EvictableTask,
  type Eviction,
  type EvictionPlan,
  type EvictionPolicy,
  planEviction,
} from "../core/evict.ts";
import type { PieceStore } from "../store/piece-store.ts";
import type { RoomMaker } from "../store/room-maker.ts";
import { diskFull } from "../store/store-problem.ts";
import { Turns } from "../store/turns.ts";
import { quotaExceeded } from "./quota-problem.ts";

export interface JanitorComponents {
  readonly store: PieceStore;
  /** For messages. */
  readonly folder: string;
  /** As it is now. */
  readonly policy: () => EvictionPolicy;
  /** Removes a task whose last use was then, and withdraws it from the cluster.
   *  @throws ProblemError `task-busy` when it was used since */
  readonly remove: (taskId: TaskId, lastUsedAtMs: number) => Promise<void>;
  /** Whether content of the task may be on its way to somebody. */
  readonly sending: (taskId: TaskId) => boolean;
  readonly nowMs: () => number;
  readonly log: Log;
}

const TIDY_INTERVAL_MS = 30_000;
/** Room found for a task is its own until it is open, at most for this long. */
const PROMISE_MS = 5000;
/** Tasks that are used again while they are to be evicted make another plan necessary. */
const MAX_PLANS = 4;
const TASKS_MEASURED_AT_ONCE = 32;

interface Promised {
  readonly bytes: number;
  readonly untilMs: number;
  /** Of the task as it was; once it is open it was used again. `undefined`: there was none. */
  readonly lastUsedAtMs: number | undefined;
}

export class Janitor implements RoomMaker {
  readonly #components: JanitorComponents;
  /** Plans are made and carried out one at a time, or two would evict for the same bytes. */
  readonly #turns = new Turns();
  readonly #promised = new Map<TaskId, Promised>();
  #relieving: Promise<boolean> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(components: JanitorComponents) {
    this.#components = components;
  }

  /** Tidies now, and from time to time. */
  start(): void {
    this.#timer = setInterval(() => void this.tidy(), TIDY_INTERVAL_MS);
    void this.tidy();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Evicts what is due. */
  async tidy(): Promise<void> {
    try {
      await this.#inTurn(async () => {
        const stuck = new Set<TaskId>();
        await this.#measure();
        await this.#evict((await this.#plan(stuck)).evictions, stuck);
      });
    } catch (error) {
      this.#components.log("warn", "store.warning", { message: `Cannot tidy the store: ${String(error)}` });
    }
  }

  reserve(taskId: TaskId, neededBytes: number): Promise<Disposable | undefined> {
    return this.#inTurn(async () => {
      const task = this.#components.store.get(taskId);
      // A download of it has its room already.
      if (task?.inUse) return undefined;
      const untilMs = this.#components.nowMs() + PROMISE_MS;
      const promised = { bytes: neededBytes, untilMs, lastUsedAtMs: task?.lastUsedAtMs };
      this.#promised.set(taskId, promised);
      const takeBack = () => {
        if (this.#promised.get(taskId) === promised) this.#promised.delete(taskId);
      };
      try {
        await this.#findRoom(neededBytes);
      } catch (error) {
        takeBack();
        throw error;
      }
      return { [Symbol.dispose]: takeBack };
    });
  }

  /** Many writes fail at the same moment: what makes way for one does so for all. */
  relieve(neededBytes: number): Promise<boolean> {
    this.#relieving ??= this.#inTurn(async () => {
      await this.#measure();
      const stuck = new Set<TaskId>();
      // Whatever the figures say, to the writer the disk is full: of bytes, of files, or of a quota of the system.
      const plan = this.#planFor(stuck, { freeBytes: 0, neededBytes });
      return (await this.#evict(plan.evictions, stuck)) > 0;
    }).finally(() => {
      this.#relieving = undefined;
    });
    return this.#relieving;
  }

  /** All or nothing: where no eviction would help, none takes place. @throws ProblemError `disk-full` */
  async #findRoom(neededBytes: number): Promise<void> {
    const stuck = new Set<TaskId>();
    // Without measuring first: as long as there is plenty of room this costs next to nothing.
    let plan = await this.#plan(stuck);
    if (plan.evictions.length > 0 || plan.shortage !== undefined) await this.#measure();
    for (let made = 1; made < MAX_PLANS; made++) {
      plan = await this.#plan(stuck);
      if (plan.shortage !== undefined) break;
      if (plan.evictions.length === 0) return;
      await this.#evict(plan.evictions, stuck);
    }
    if (plan.shortage === undefined) return;
    const { folder, store } = this.#components;
    throw plan.shortage.limit === "quota"
      ? quotaExceeded(folder, neededBytes, plan.shortage)
      : diskFull(folder, neededBytes, await store.freeBytes());
  }

  async #plan(stuck: ReadonlySet<TaskId>): Promise<EvictionPlan> {
    return this.#planFor(stuck, { freeBytes: await this.#components.store.freeBytes(), neededBytes: 0 });
  }

  #planFor(stuck: ReadonlySet<TaskId>, room: { freeBytes: number; neededBytes: number }): EvictionPlan {
    const { store, policy, sending, nowMs } = this.#components;
    this.#forgetPromises();
    const tasks = store.list().map((task): EvictableTask => {
      const { taskId, sizeBytes } = task.info;
      const { inUse, complete, heldBytes, lastUsedAtMs, pinned } = task;
      const coming = !complete && (inUse || this.#promised.has(taskId));
      const busy = inUse || coming || stuck.has(taskId) || sending(taskId);
      return {
        taskId,
        ...task.room,
        awaitedBytes: coming ? sizeBytes - heldBytes : 0,
        lastUsedAtMs,
        pinned,
        busy,
        complete,
      };
    });
    return planEviction(
      tasks,
      { ...room, neededBytes: room.neededBytes + this.#promisedToNewTasks() },
      policy(),
      nowMs(),
    );
  }

  /** Returns how many are gone; the others are in `stuck`. */
  async #evict(evictions: readonly Eviction[], stuck: Set<TaskId>): Promise<number> {
    const { remove, nowMs, log } = this.#components;
    // Who opened a task a moment ago pins it in the same turn of the event loop.
    await setImmediate();
    let evicted = 0;
    for (const { taskId, reason, lastUsedAtMs, allocatedBytes } of evictions) {
      try {
        await remove(taskId, lastUsedAtMs);
        evicted++;
        log("info", "task.evicted", { task: taskId, reason, bytes: allocatedBytes, unusedMs: nowMs() - lastUsedAtMs });
      } catch (error) {
        stuck.add(taskId);
        if (isProblemError(error) && ["task-busy", "task-not-found"].includes(error.code)) continue;
        log("warn", "store.warning", { message: `Cannot evict task ${taskId}: ${String(error)}` });
      }
    }
    return evicted;
  }

  async #measure(): Promise<void> {
    const tasks = this.#components.store.list();
    for (let at = 0; at < tasks.length; at += TASKS_MEASURED_AT_ONCE) {
      await Promise.all(tasks.slice(at, at + TASKS_MEASURED_AT_ONCE).map((task) => task.measure()));
    }
  }

  /** Those that were kept, and those nobody came for. */
  #forgetPromises(): void {
    for (const [taskId, { untilMs, lastUsedAtMs }] of this.#promised) {
      const task = this.#components.store.get(taskId);
      const kept = task !== undefined && task.lastUsedAtMs !== lastUsedAtMs;
      if (kept || this.#components.nowMs() > untilMs) this.#promised.delete(taskId);
    }
  }

  #promisedToNewTasks(): number {
    let bytes = 0;
    for (const [taskId, promised] of this.#promised) {
      if (this.#components.store.get(taskId) === undefined) bytes += promised.bytes;
    }
    return bytes;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.run("room", work);
  }
}
