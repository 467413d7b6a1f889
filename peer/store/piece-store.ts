/** The port to the pieces a host keeps. A task's pieces lie at their offsets; a piece counts as held only once it was
 *  verified, written and journaled, in that order. */

import type { Bitfield } from "../../schema/bitfield.ts";
import type { TaskId } from "../../schema/ids.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import type { PieceWriter } from "./piece-writer.ts";

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

  /** Opens the place of a piece for bytes that come chunk by chunk, to be verified before they are kept; what is not kept
   *  counts for nothing. `undefined` when the piece is held, or somebody else is writing it.
   *  @param readable the bytes may be read as they come: they are from our own source (docs/decisions/0007) */
  begin(piece: number, options: { readonly readable: boolean }): PieceWriter | undefined;

  /** Keeps one piece that was already verified: bytes first, then its journal record. Writing a piece that is held
   *  already does nothing; a writer that is on the way with it loses its place. False when another has kept it.
   *  @throws ProblemError `disk-full` or `store-failed`; the piece is then not held. */
  write(piece: number, bytes: Uint8Array, digest: Uint8Array): Promise<boolean>;

  /** Forgets one piece (it was found rotten). */
  drop(piece: number): Promise<void>;

  /** How many bytes of a piece, from its beginning, can be read: all of a held one, what has come of a readable one that
   *  is being written, else none. */
  readableBytes(piece: number): number;
  /** How often, in this process, a readable piece was given up half way: whoever has read of it before then cannot be
   *  sure that what comes is its continuation. */
  restarts(piece: number): number;
  /** Counts what adds to `readableBytes`, over all pieces. */
  readonly growth: number;
  /** Resolves once `growth` is above `since`, or after `waitMs`, or when the signal aborts; never rejects. */
  grown(since: number, waitMs: number, signal?: AbortSignal): Promise<void>;

  /** Bytes of a piece, or `[from, to)` of them. @throws ProblemError `store-failed` when they are more than
   *  `readableBytes`, or cannot be read. */
  read(piece: number, from?: number, to?: number): Promise<Uint8Array>;

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
