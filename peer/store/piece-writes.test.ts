import { expect, test } from "bun:test";
import { setImmediate } from "node:timers/promises";
import { aTask, pieceOf } from "./fixtures.ts";
import { blake3 } from "./hash.ts";
import { Holdings } from "./holdings.ts";
import { PieceWrites } from "./piece-writes.ts";

/** Writes to a disk that finishes what it was given only when it is told to, and in the order it is told. */
function onSlowDisk() {
  const holdings = new Holdings(aTask());
  const lying = new Map<number, Uint8Array>();
  const begun: { readonly finish: () => void; readonly first: number | undefined }[] = [];
  const writes = new PieceWrites({
    holdings,
    place(piece, offsetBytes, chunks) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const bytes = Buffer.concat(chunks);
      const finish = () => {
        const whole = lying.get(piece) ?? new Uint8Array(holdings.lengthOf(piece));
        whole.set(bytes, offsetBytes);
        lying.set(piece, whole);
        resolve();
      };
      begun.push({ finish, first: bytes[0] });
      return promise;
    },
    record: async (piece, digest) => holdings.add(piece, digest),
  });
  const finishNext = async () => {
    await setImmediate();
    begun.shift()?.finish();
    await setImmediate();
  };
  return { holdings, lying, begun, writes, finishNext };
}

test("what a writer that gave up has under way never lands on a piece that another kept after it", async () => {
  const { holdings, lying, begun, writes, finishNext } = onSlowDisk();
  const info = aTask();
  const good = pieceOf(info, 0);
  const bad = new Uint8Array(good.length).fill(0xee);
  for (const how of ["begin", "write"] as const) {
    const liar = writes.begin(0, { readable: false });
    await liar?.append(bad);
    liar?.[Symbol.dispose]();
    const kept =
      how === "write"
        ? writes.write(0, good, blake3(good))
        : (async () => {
            const honest = writes.begin(0, { readable: false });
            await honest?.append(good);
            return await honest?.keep(blake3(good));
          })();
    await setImmediate();
    // Only the first is under way: with both, the disk could end with the bytes of either.
    expect(begun.map(({ first }) => first)).toEqual([0xee]);
    expect(writes.busy).toBe(true);
    await finishNext();
    await finishNext();
    expect(await kept).toBe(true);
    expect(lying.get(0)).toEqual(good);
    expect(writes.busy).toBe(false);
    holdings.remove(0);
  }
});

test("close() waits for what a writer that gave up has under way", async () => {
  const { writes, finishNext } = onSlowDisk();
  const writer = writes.begin(0, { readable: false });
  await writer?.append(pieceOf(aTask(), 0));
  writer?.[Symbol.dispose]();
  let closed = false;
  const closing = writes.close().then(() => {
    closed = true;
  });
  await setImmediate();
  expect(closed).toBe(false);
  await finishNext();
  await closing;
});
