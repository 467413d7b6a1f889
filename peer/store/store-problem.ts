/** What a failing disk is called towards callers. */
import { isProblemError, ProblemError } from "../../schema/problem.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import type { StoredTask } from "./piece-store.ts";

export function diskFull(folder: string, neededBytes: number, freeBytes: number, cause?: unknown): ProblemError {
  return new ProblemError(
    "disk-full",
    `The store in ${folder} has no room: ${neededBytes} bytes are needed and ${freeBytes} are free. ` +
      "Free some space there, remove tasks (pantala task rm), or keep the data folder on a larger disk",
    { detail: { folder, neededBytes, freeBytes }, cause },
  );
}

/** A task is not begun when what it lacks is more than what the disk has.
 *  @throws ProblemError `disk-full` */
export function refuseUnlessRoom(folder: string, neededBytes: number, freeBytes: number): void {
  if (neededBytes > freeBytes) throw diskFull(folder, neededBytes, freeBytes);
}

/** @throws ProblemError `task-mismatch` when a stored task has other pieces than the one asked for. */
export function refuseUnlessSame(stored: TaskInfo, asked: TaskInfo): void {
  if (stored.sizeBytes === asked.sizeBytes && stored.pieceLengthBytes === asked.pieceLengthBytes) return;
  throw new ProblemError(
    "task-mismatch",
    `Task ${asked.taskId} is stored with ${stored.sizeBytes} bytes in pieces of ${stored.pieceLengthBytes}, ` +
      `not ${asked.sizeBytes} bytes in pieces of ${asked.pieceLengthBytes}: remove it (pantala task rm) to fetch it anew`,
    { detail: { taskId: asked.taskId } },
  );
}

/** A task is not removed while somebody needs it, or when it was used since `lastUsedAtMs`, if that is given.
 *  @throws ProblemError `task-busy` */
export function refuseWhileNeeded(task: StoredTask, lastUsedAtMs?: number): void {
  const { taskId } = task.info;
  const busy = (why: string) => new ProblemError("task-busy", `Task ${taskId} is ${why}`, { detail: { taskId } });
  if (task.inUse) throw busy("in use: wait until its readers and downloads have ended");
  if (task.pinned) throw busy("pinned: unpin it first (pantala task unpin)");
  if (lastUsedAtMs !== undefined && lastUsedAtMs !== task.lastUsedAtMs) throw busy("in use again");
}

export function notHeld(taskId: string, piece: number): ProblemError {
  return new ProblemError("store-failed", `Piece ${piece} of task ${taskId} is not held here`, {
    detail: { taskId, piece },
  });
}

/** Where work on the disk takes place, for telling what failed. */
export interface DiskPlace {
  readonly folder: string;
  readonly freeBytes: () => Promise<number>;
}

/** Runs work on the disk. `what` says what is being done, as in "write piece 3".
 *  @throws ProblemError `disk-full` for a full disk or quota, `store-failed` for any other fault. */
export async function onDisk<T>(
  place: DiskPlace,
  what: string,
  neededBytes: number,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isProblemError(error)) throw error;
    const code = errorCodeOf(error);
    if (code === "ENOSPC" || code === "EDQUOT") {
      throw diskFull(place.folder, neededBytes, await place.freeBytes().catch(() => 0), error);
    }
    throw new ProblemError(
      "store-failed",
      `Cannot ${what} in ${place.folder}: ${error instanceof Error ? error.message : String(error)}. ` +
        "Check that the disk is healthy and that this process may write there",
      { detail: { folder: place.folder, errorCode: code ?? null }, cause: error },
    );
  }
}

/** `ENOENT` and the like. */
export function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
