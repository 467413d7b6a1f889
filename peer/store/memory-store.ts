/** A piece store that forgets: for tests and simulations, with the same promises as the one on disk while it lives. */
import type { TaskId } from "../../schema/ids.ts";
import { ProblemError } from "../../schema/problem.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import { Holdings } from "./holdings.ts";
import type { PieceStore, StoredTask, TaskRoom } from "./piece-store.ts";
import type { PieceWriter } from "./piece-writer.ts";
import { PieceWrites } from "./piece-writes.ts";
import { Pins } from "./pins.ts";
import { notHeld, refuseUnlessRoom, refuseUnlessSame, refuseWhileNeeded } from "./store-problem.ts";

export interface MemoryStoreOptions {
  readonly nowMs: () => number;
  /** Bytes of pieces it takes before it is full. */
  readonly capacityBytes: number;
}

const FOLDER = "memory";

export function openMemoryStore(options: MemoryStoreOptions): PieceStore {
  const tasks = new Map<TaskId, MemoryTask>();
  const storedBytes = () => tasks.values().reduce((sum, task) => sum + task.holdings.heldBytes, 0);
  const freeBytes = () => options.capacityBytes - storedBytes();
  return {
    async open(info) {
      const stored = tasks.get(info.taskId);
      if (stored !== undefined) {
        refuseUnlessSame(stored.info, info);
        stored.noteUse();
        return stored;
      }
      refuseUnlessRoom(FOLDER, info.sizeBytes, freeBytes());
      const task = new MemoryTask(info, options.nowMs, freeBytes);
      tasks.set(info.taskId, task);
      return task;
    },
    get: (taskId) => tasks.get(taskId),
    list: () => [...tasks.values()],
    async remove(taskId, lastUsedAtMs) {
      const task = tasks.get(taskId);
      if (task === undefined) throw new ProblemError("task-not-found", `Task ${taskId} is not stored here`);
      refuseWhileNeeded(task, lastUsedAtMs);
      tasks.delete(taskId);
      task.withdraw();
    },
    storedBytes,
    freeBytes: async () => freeBytes(),
    async close() {
      for (const task of tasks.values()) task.holdings.wakeAll();
      tasks.clear();
    },
  };
}

class MemoryTask implements StoredTask {
  readonly info: TaskInfo;
  readonly holdings: Holdings;
  readonly createdAtMs: number;
  completedAtMs: number | null = null;
  lastUsedAtMs: number;
  pinned = false;
  readonly #pins = new Pins(() => this.noteUse());
  /** There is no file; the name only tells so. */
  readonly path: string;
  readonly #nowMs: () => number;
  readonly #freeBytes: () => number;
  readonly #pieces = new Map<number, Uint8Array>();
  readonly #writes: PieceWrites;

  constructor(info: TaskInfo, nowMs: () => number, freeBytes: () => number) {
    this.info = info;
    this.holdings = new Holdings(info);
    this.path = `memory:${info.taskId}`;
    this.#nowMs = nowMs;
    this.#freeBytes = freeBytes;
    this.createdAtMs = nowMs();
    this.lastUsedAtMs = this.createdAtMs;
    this.#writes = new PieceWrites({
      holdings: this.holdings,
      place: async (piece, offsetBytes, chunks) => this.#place(piece, offsetBytes, chunks),
      record: async (piece, digest) => {
        this.holdings.add(piece, digest);
        this.#noteCompletion();
      },
    });
    this.#noteCompletion();
  }

  get held() {
    return this.holdings.held;
  }
  get heldBytes() {
    return this.holdings.heldBytes;
  }
  get heldCount() {
    return this.holdings.heldCount;
  }
  get complete() {
    return this.holdings.complete;
  }
  get version() {
    return this.holdings.version;
  }
  get inUse() {
    return this.#pins.held || this.#writes.busy;
  }
  get room(): TaskRoom {
    return { allocatedBytes: this.heldBytes, freedBytes: this.heldBytes };
  }

  changed(since: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    return this.holdings.changed(since, waitMs, signal);
  }

  digestOf(piece: number): Uint8Array | undefined {
    return this.holdings.digestOf(piece);
  }

  begin(piece: number, options: { readonly readable: boolean }): PieceWriter | undefined {
    return this.#writes.begin(piece, options);
  }

  write(piece: number, bytes: Uint8Array, digest: Uint8Array): Promise<boolean> {
    return this.#writes.write(piece, bytes, digest);
  }

  readableBytes(piece: number): number {
    return this.#writes.readableBytes(piece);
  }

  get growth() {
    return this.#writes.growth;
  }

  restarts(piece: number): number {
    return this.#writes.restarts(piece);
  }

  grown(since: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    return this.#writes.grown(since, waitMs, signal);
  }

  async drop(piece: number): Promise<void> {
    if (!this.holdings.remove(piece)) return;
    this.#pieces.delete(piece);
    this.completedAtMs = null;
  }

  async read(piece: number, from = 0, to = this.holdings.lengthOf(piece)): Promise<Uint8Array> {
    const bytes = this.#pieces.get(piece);
    if (bytes === undefined || to > this.readableBytes(piece)) throw notHeld(this.info.taskId, piece);
    return bytes.slice(from, to);
  }

  pin(): Disposable {
    return this.#pins.add();
  }

  noteUse(): void {
    this.lastUsedAtMs = Math.max(this.#nowMs(), this.lastUsedAtMs + 1);
  }

  async keep(pinned: boolean): Promise<void> {
    this.pinned = pinned;
  }

  async measure(): Promise<TaskRoom> {
    return this.room;
  }

  /** The task is removed: from now on it holds nothing. */
  withdraw(): void {
    this.#pieces.clear();
    this.holdings.clear();
  }

  #place(piece: number, offsetBytes: number, chunks: readonly Uint8Array[]): void {
    refuseUnlessRoom(FOLDER, this.holdings.lengthOf(piece), this.#freeBytes());
    const bytes = this.#pieces.get(piece) ?? new Uint8Array(this.holdings.lengthOf(piece));
    this.#pieces.set(piece, bytes);
    let at = offsetBytes;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
  }

  #noteCompletion(): void {
    if (this.holdings.complete) this.completedAtMs = this.#nowMs();
  }
}
