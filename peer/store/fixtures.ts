/** Tasks and pieces for tests of whatever keeps pieces. */
import { randomBytes } from "node:crypto";
import { parseTaskId } from "../../schema/ids.ts";
import { pieceCountOf, pieceRange } from "../../schema/piece.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import { DiskTask } from "./disk-task.ts";
import { blake3 } from "./hash.ts";
import type { StoredTask } from "./piece-store.ts";

const KIB = 1024;

/** A task of its own identity: two and a half pieces of 64 KiB unless told otherwise. */
export function aTask(overrides: Partial<TaskInfo> = {}): TaskInfo {
  const taskId = parseTaskId(randomBytes(32).toString("hex"));
  if (taskId === undefined) throw new Error("32 random bytes are no task id");
  return {
    taskId,
    url: "https://source.example/file",
    tag: "",
    application: "",
    version: "etag:one",
    sizeBytes: 160 * KIB,
    pieceLengthBytes: 64 * KIB,
    ranged: true,
    ...overrides,
  };
}

/** Bytes of one piece, the same on every call and in every process. */
export function pieceOf(info: TaskInfo, piece: number): Uint8Array {
  const { start, end } = pieceRange(piece, info.sizeBytes, info.pieceLengthBytes);
  const bytes = new Uint8Array(end - start);
  for (let at = 0; at < bytes.length; at++) bytes[at] = (at * 31 + piece * 17 + (at >> 8)) & 0xff;
  return bytes;
}

export async function writePieces(task: StoredTask, ...pieces: number[]): Promise<void> {
  for (const piece of pieces) {
    const bytes = pieceOf(task.info, piece);
    await task.write(piece, bytes, blake3(bytes));
  }
}

export async function writeAll(task: StoredTask): Promise<void> {
  const count = pieceCountOf(task.info.sizeBytes, task.info.pieceLengthBytes);
  await writePieces(task, ...Array.from({ length: count }, (_, piece) => piece));
}

/** Writes all pieces and waits until the store has synced and recorded the task. */
export async function completeTask(task: StoredTask): Promise<void> {
  await writeAll(task);
  if (task instanceof DiskTask) await task.seal();
}
