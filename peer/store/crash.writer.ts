/** Run by `crash.test.ts` and killed at a random moment: writes and drops pieces of the task given, for ever. Says each
 *  piece on standard output once it is held. */
import { parseTaskId } from "../../schema/ids.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import { openDiskStore } from "./disk-store.ts";
import { aTask, writePieces } from "./fixtures.ts";

const [folder = "", id = ""] = process.argv.slice(2);
const taskId = parseTaskId(id);
if (taskId === undefined) throw new Error("usage: crash.writer.ts FOLDER TASK_ID");
const store = await openDiskStore({ folder, nowMs: Date.now, warn: (message) => console.error(message) });
const task = await store.open(aTask({ taskId, sizeBytes: 4_000_000 }));
const pieceCount = pieceCountOf(task.info.sizeBytes, task.info.pieceLengthBytes);
for (;;) {
  const pieces = Array.from({ length: pieceCount }, (_, piece) => piece).sort(() => Math.random() - 0.5);
  for (let at = 0; at < pieceCount; at += 3) {
    await Promise.all(
      pieces.slice(at, at + 3).map(async (piece) => {
        await writePieces(task, piece);
        process.stdout.write(`${piece}\n`);
      }),
    );
  }
  for (const piece of pieces) await task.drop(piece);
  process.stdout.write("dropped\n");
}
