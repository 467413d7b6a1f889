/** The port to the pieces a host keeps. A task's pieces lie at their offsets; a piece counts as held only once it was
 *  verified, written and journaled, in that order. */

import type { Bitfield } from "../../schema/bitfield.ts";
import type { TaskId } from "../../schema/ids.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";

/** What a task takes on disk. */
export interface TaskRoom {
  /** Blocks of all its files, shared with hard links or not. */
  readonly allocatedBytes: number;
  /** What the disk gets back when it is removed: nothing worth it where users have hard links to the content. */
  readonly freedBytes: number;
}

export interface StoredTask {
  readonly info: TaskInfo;
  /** Live view: pieces held, verified. Do not write to it. */
  readonly held: Bitfield;
  readonly heldCount: number;
  readonly heldBytes: number;
  readonly complete: boolean;
  readonly createdAtMs: number;
  readonly completedAtMs: number | null;

  /** Counts changes of `held`, from 0 when the task was opened by this process. */
  readonly version: number;

  /** Resolves once `version` is above `since`, or after `waitMs`, or when the signal aborts; never rejects. */
  changed(since: number, waitMs: number, signal?: AbortSignal): Promise<void>;

  /** BLAKE3 digest of a held piece. */
  digestOf(piece: number): Uint8Array | undefined;

  /** Keeps one piece that was already verified: bytes first, then its journal record. Writing a piece that is held
   *  already does nothing.
   *  @throws ProblemError `disk-full` or `store-failed`; the piece is then not held. */
  write(piece: number, bytes: Uint8Array, digest: Uint8Array): Promise<void>;

  /** Forgets one piece (it was found rotten). */
  drop(piece: number): Promise<void>;

  /** Bytes of one held piece. @throws ProblemError `store-failed` when it is not held or cannot be read. */
  read(piece: number): Promise<Uint8Array>;

  /** Where the content lies: one file, pieces at their offsets, `sizeBytes` long. */
  readonly path: string;

  /** While at least one pin is held the task is not removed. Dispose the pin to release it. It is used until then. */
  pin(): Disposable;

  /** Pinned by `keep`, for as long as that is not taken back; survives restarts. */
  readonly pinned: boolean;
  /** Pins the task until further notice, or takes that back. @throws ProblemError `disk-full` or `store-failed` */
  keep(pinned: boolean): Promise<void>;

  /** Somebody holds a pin, or a piece is being written. */
  readonly inUse: boolean;
  /** Epoch; counted are opening, pins and what `noteUse` tells. Survives restarts, give or take some minutes. */
  readonly lastUsedAtMs: number;
  /** It is used now. */
  noteUse(): void;

  /** As last measured, and never less than the pieces held. */
  readonly room: TaskRoom;
  measure(): Promise<TaskRoom>;
}

export interface PieceStore {
  /** Opens a task, creating it when new. The same object is given to every caller.
   *  @throws ProblemError `task-mismatch` when it is stored with another size or piece length. */
  open(info: TaskInfo): Promise<StoredTask>;
  get(taskId: TaskId): StoredTask | undefined;
  list(): StoredTask[];
  /** Deletes the task's bytes; the task then holds nothing. With `lastUsedAtMs` only if that was its last use.
   *  @throws ProblemError `task-busy` while it is pinned or was used since, `task-not-found`. */
  remove(taskId: TaskId, lastUsedAtMs?: number): Promise<void>;
  /** Bytes of pieces held, over all tasks. */
  storedBytes(): number;
  freeBytes(): Promise<number>;
  close(): Promise<void>;
}
