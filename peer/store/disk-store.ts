/** Pieces on disk. Under the folder lie `tasks/<first 2 hex>/<taskId>/{content,journal,task.json}`, `removed/` for what is
 *  being deleted, and the lock. Memory: a bit and 32 bytes for each piece, whether held or not. */
import { mkdir, readdir, rename, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { parseTaskId, type TaskId } from "../../schema/ids.ts";
import { ProblemError } from "../../schema/problem.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import { readBootId } from "./boot-id.ts";
import type { DiskShelf, DiskTask } from "./disk-task.ts";
import { type FolderLock, lockFolder } from "./folder-lock.ts";
import { OpenFiles } from "./open-files.ts";
import type { PieceStore, StoredTask } from "./piece-store.ts";
import { type RoomMaker, roomAsItIs, withRoom } from "./room-maker.ts";
import { errorCodeOf, onDisk, refuseUnlessSame, refuseWhileNeeded } from "./store-problem.ts";
import { createTaskFolder, loadTaskFolder } from "./task-folder.ts";
import { Turns } from "./turns.ts";

export interface DiskStoreOptions {
  /** Created when missing. */
  readonly folder: string;
  readonly nowMs: () => number;
  /** Told about folders that are passed over, pieces found rotten and syncs that failed. */
  readonly warn: (message: string) => void;
  /** Names this run of the kernel, see `boot-id.ts`; by default what the system says. */
  readonly bootId?: string | null;
  /** Finds room for what comes; by default nothing makes way for it. */
  readonly room?: RoomMaker;
  /** Files kept open while nobody uses them; 64 by default. */
  readonly maxIdleFiles?: number;
}

/** Opens the store, taking up every sound task in it. After a power loss this reads all unsynced pieces once.
 *  @throws ProblemError `conflict` when another process has the folder, `store-failed` when it cannot be used. */
export async function openDiskStore(options: DiskStoreOptions): Promise<PieceStore> {
  const { folder } = options;
  const freeBytes = async () => {
    const stat = await statfs(folder);
    return stat.bavail * stat.bsize;
  };
  return onDisk({ folder, freeBytes }, "open the store", 0, async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const lock = await lockFolder(folder);
    try {
      const files = new OpenFiles(options.maxIdleFiles ?? 64);
      const bootId = options.bootId === undefined ? await readBootId() : options.bootId;
      const { nowMs, warn, room = roomAsItIs({ folder, freeBytes }) } = options;
      const store = new DiskStore({ folder, freeBytes, room, files, turns: new Turns(), nowMs, warn, bootId }, lock);
      await store.load();
      return store;
    } catch (error) {
      lock.release();
      throw error;
    }
  });
}

class DiskStore implements PieceStore {
  readonly #shelf: DiskShelf;
  readonly #lock: FolderLock;
  readonly #tasks = new Map<TaskId, DiskTask>();
  #removals = 0;
  #closing: Promise<void> | undefined;

  constructor(shelf: DiskShelf, lock: FolderLock) {
    this.#shelf = shelf;
    this.#lock = lock;
  }

  /** Takes up what lies in the folder, and ends removals that were interrupted. */
  async load(): Promise<void> {
    await rm(this.#removedFolder(), { recursive: true, force: true });
    await mkdir(this.#removedFolder(), { mode: 0o700 });
    const tasks = join(this.#shelf.folder, "tasks");
    await mkdir(tasks, { recursive: true, mode: 0o700 });
    for (const prefix of await readdir(tasks)) {
      const names = /^[0-9a-f]{2}$/.test(prefix)
        ? await readdir(join(tasks, prefix)).catch(() => undefined)
        : undefined;
      if (names === undefined) this.#shelf.warn(`Passed over ${join(tasks, prefix)}: it is no folder of tasks`);
      for (const name of names ?? []) await this.#loadTask(prefix, name);
    }
  }

  async open(info: TaskInfo): Promise<StoredTask> {
    const { room, turns } = this.#shelf;
    const missingBytes = info.sizeBytes - (this.#tasks.get(info.taskId)?.heldBytes ?? 0);
    // Outside the task's turn: what makes way for it needs turns of its own.
    using _promise = missingBytes > 0 ? await room.reserve(info.taskId, missingBytes) : undefined;
    const open = async () => {
      if (this.#closing !== undefined) throw new ProblemError("store-failed", "The store is closed");
      const task = this.#tasks.get(info.taskId);
      return task === undefined ? await this.#create(info) : await this.#reopen(task, info);
    };
    return await withRoom(room, missingBytes, () =>
      turns.run(`task ${info.taskId}`, () => onDisk(this.#shelf, `open task ${info.taskId}`, info.sizeBytes, open)),
    );
  }

  get(taskId: TaskId): StoredTask | undefined {
    return this.#tasks.get(taskId);
  }

  list(): StoredTask[] {
    return [...this.#tasks.values()];
  }

  remove(taskId: TaskId, lastUsedAtMs?: number): Promise<void> {
    return this.#shelf.turns.run(`task ${taskId}`, () =>
      onDisk(this.#shelf, `remove task ${taskId}`, 0, async () => {
        const task = this.#tasks.get(taskId);
        if (task === undefined) throw new ProblemError("task-not-found", `Task ${taskId} is not stored here`);
        refuseWhileNeeded(task, lastUsedAtMs);
        this.#tasks.delete(taskId);
        await task.withdraw();
        await rm(await this.#setAside(taskId), { recursive: true, force: true });
      }),
    );
  }

  storedBytes(): number {
    return this.#tasks.values().reduce((sum, task) => sum + task.heldBytes, 0);
  }

  freeBytes(): Promise<number> {
    return this.#shelf.freeBytes();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all(this.#tasks.values().map((task) => task.end()));
    await this.#shelf.files.close();
    this.#lock.release();
  }

  async #create(info: TaskInfo): Promise<DiskTask> {
    // What was passed over at the start, or left by a creation that failed.
    await rm(await this.#setAside(info.taskId), { recursive: true, force: true });
    const task = await createTaskFolder(this.#shelf, this.#folderOf(info.taskId), info);
    this.#tasks.set(info.taskId, task);
    return task;
  }

  async #reopen(task: DiskTask, info: TaskInfo): Promise<DiskTask> {
    refuseUnlessSame(task.info, info);
    if (await task.wasTouched()) {
      await task.verify();
      if (task.complete) void task.seal();
    }
    // Last, so that whoever sees the use knows that the task is open.
    task.noteUse();
    return task;
  }

  async #loadTask(prefix: string, name: string): Promise<void> {
    const taskId = parseTaskId(name);
    const folder = join(this.#shelf.folder, "tasks", prefix, name);
    try {
      if (taskId === undefined || !name.startsWith(prefix)) throw new Error("its name is of no task");
      this.#tasks.set(taskId, await loadTaskFolder(this.#shelf, folder, taskId));
    } catch (error) {
      this.#shelf.warn(`Passed over ${folder}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Moves a task's folder, if there is one, out of `tasks/` in one step; returns where it lies now. */
  async #setAside(taskId: TaskId): Promise<string> {
    const aside = join(this.#removedFolder(), `${taskId}.${this.#removals++}`);
    try {
      await rename(this.#folderOf(taskId), aside);
    } catch (error) {
      if (errorCodeOf(error) !== "ENOENT") throw error;
    }
    return aside;
  }

  #folderOf(taskId: TaskId): string {
    return join(this.#shelf.folder, "tasks", taskId.slice(0, 2), taskId);
  }

  #removedFolder(): string {
    return join(this.#shelf.folder, "removed");
  }
}
