import { expect, test } from "bun:test";
import { blake3 } from "../store/hash.ts";
import type { StoredTask } from "../store/piece-store.ts";
import { PIECE_BYTES, pieceBytes, sourceOf, standalonePeer, statOf, storedTask } from "./fixtures.ts";
import { readContent } from "./read-content.ts";

const never = new AbortController().signal;

function reading(task: StoredTask, start = 0) {
  const { peer } = standalonePeer(task);
  const opened = { peer, source: sourceOf(task), stat: statOf(task), [Symbol.dispose]: () => undefined };
  return readContent(opened, { start, end: task.info.sizeBytes }, never);
}

/** Half of the first piece, as our own source sends it. */
async function begunByOurSource(task: StoredTask) {
  const writer = task.begin(0, { readable: true });
  await writer?.append(pieceBytes(0).subarray(0, PIECE_BYTES / 2));
  return writer;
}

test("a reader gets what our own source has sent of a piece before the piece is whole", async () => {
  const task = await storedTask(2);
  const content = reading(task, 100);
  await begunByOurSource(task);
  const { value } = await content.next();
  expect(value).toEqual(pieceBytes(0).slice(100, PIECE_BYTES / 2));
  expect(task.heldCount).toBe(0);
  await content.return(undefined);
});

test("a reader gets the rest from elsewhere when our source breaks off, if it is the rest of the same piece", async () => {
  const task = await storedTask(1);
  const content = reading(task);
  const writer = await begunByOurSource(task);
  await content.next();
  writer?.[Symbol.dispose]();
  await task.write(0, pieceBytes(0), blake3(pieceBytes(0)));
  expect((await content.next()).value).toEqual(pieceBytes(0).slice(PIECE_BYTES / 2));
  expect((await content.next()).done).toBe(true);
});

test("a reader never gets a piece that is put together of two contents", async () => {
  const task = await storedTask(1);
  const content = reading(task);
  const writer = await begunByOurSource(task);
  await content.next();
  writer?.[Symbol.dispose]();
  await task.write(0, pieceBytes(7), blake3(pieceBytes(7)));
  await expect(content.next()).rejects.toMatchObject({ code: "source-changed" });
});

test("a reader gets nothing of a piece of a neighbour before it is verified", async () => {
  const task = await storedTask(1);
  const content = reading(task);
  using writer = task.begin(0, { readable: false });
  await writer?.append(pieceBytes(0));
  expect(task.readableBytes(0)).toBe(0);
  const next = content.next();
  await writer?.keep(blake3(pieceBytes(0)));
  expect((await next).value).toEqual(pieceBytes(0));
});
