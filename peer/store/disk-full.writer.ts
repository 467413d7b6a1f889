/** Run by `disk-full.test.ts` inside a tiny file system of its own: fills the store, and prints what came of it. */
import { openDiskStore } from "./disk-store.ts";
import { aTask, pieceOf, writePieces } from "./fixtures.ts";

const [folder = ""] = process.argv.slice(2);
const store = await openDiskStore({ folder, nowMs: Date.now, warn: () => {} });
// Each fits alone when it is opened; together they do not.
const [one, two] = [aTask({ sizeBytes: 600_000 }), aTask({ sizeBytes: 600_000 })];
const tasks = [await store.open(one), await store.open(two)];
const problems: unknown[] = [];
for (const task of tasks) {
  for (let piece = 0; piece < 10; piece++) {
    await writePieces(task, piece).catch((error: { toProblem(): unknown }) => problems.push(error.toProblem()));
  }
}
const held = tasks.map((task) => task.heldCount);
// Room again: what was refused can be written.
await store.remove(one.taskId);
const second = tasks[1];
for (let piece = 0; piece < 10; piece++) if (second !== undefined) await writePieces(second, piece);
await store.close();
const again = await openDiskStore({ folder, nowMs: Date.now, warn: () => {} });
const reopened = again.get(two.taskId);
const sound = await Promise.all(
  Array.from({ length: 10 }, async (_, piece) => {
    const bytes = await reopened?.read(piece);
    return bytes !== undefined && Buffer.compare(bytes, pieceOf(two, piece)) === 0;
  }),
);
await again.close();
console.log(JSON.stringify({ problems, held, sound }));
