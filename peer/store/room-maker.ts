/** Who finds room in a store before it is needed, and once more when the disk says that there is none. */
import type { TaskId } from "../../schema/ids.ts";
import { isProblemError } from "../../schema/problem.ts";
import { type DiskPlace, refuseUnlessRoom } from "./store-problem.ts";

export interface RoomMaker {
  /** Called before a task begins or goes on that lacks `neededBytes`. What it returns is disposed of when the task is
   *  open, or could not be opened. @throws ProblemError `disk-full` */
  reserve(taskId: TaskId, neededBytes: number): Promise<Disposable | undefined>;
  /** The disk refused these bytes, or a file. Resolves with whether anything made way. */
  relieve(neededBytes: number): Promise<boolean>;
}

/** Refuses what obviously does not fit; nothing makes way. */
export function roomAsItIs(place: DiskPlace): RoomMaker {
  return {
    async reserve(_, neededBytes) {
      refuseUnlessRoom(place.folder, neededBytes, await place.freeBytes());
      return undefined;
    },
    relieve: async () => false,
  };
}

/** Runs work that takes room, and runs it again when the disk was full and something made way.
 *  @throws ProblemError `disk-full` when that was not enough */
export async function withRoom<T>(room: RoomMaker, neededBytes: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isProblemError(error) || error.code !== "disk-full" || !(await room.relieve(neededBytes))) throw error;
    return await work();
  }
}
