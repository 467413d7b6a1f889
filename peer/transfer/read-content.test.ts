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

test("a reader goes on when a piece that is still before it was found rotten and dropped: that is fetched anew", async () => {
  const task = await storedTask(2);
  for (const piece of [0, 1]) await task.write(piece, pieceBytes(piece), blake3(pieceBytes(piece)));
  const { peer } = standalonePeer(task);
  const opened = { peer, source: sourceOf(task), stat: statOf(task), [Symbol.dispose]: () => undefined };
  const content = readContent(opened, { start: 0, end: task.info.sizeBytes }, never);
  expect((await content.next()).value).toEqual(pieceBytes(0));
  await task.drop(1);
  const next = content.next();
  while (!peer.running) await Bun.sleep(1);
  await task.write(1, pieceBytes(1), blake3(pieceBytes(1)));
  expect((await next).value).toEqual(pieceBytes(1));
  expect((await content.next()).done).toBe(true);
});

test("a reader takes nothing that was given up while it was being read, and waits for what comes instead", async () => {
  const task = await storedTask(1);
  const writer = await begunByOurSource(task);
  let giveUp = () => {};
  const slow = new Proxy(task, {
    get(target, key) {
      const value = Reflect.get(target, key, target);
      if (key !== "read") return typeof value === "function" ? value.bind(target) : value;
      return async (piece: number, from: number, to: number) => {
        giveUp();
        // What is read now is whatever lies there by then.
        return await task.read(piece, from, to).catch(() => new Uint8Array(to - from).fill(0xee));
      };
    },
  });
  const content = reading(slow);
  giveUp = () => writer?.[Symbol.dispose]();
  const next = content.next();
  while (task.restarts(0) === 0) await Bun.sleep(1);
  giveUp = () => {};
  await task.write(0, pieceBytes(0), blake3(pieceBytes(0)));
  expect((await next).value).toEqual(pieceBytes(0));
  await content.return(undefined);
});
