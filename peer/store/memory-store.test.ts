import { expect, test } from "bun:test";
import { aTask, writePieces } from "./fixtures.ts";
import { openMemoryStore } from "./memory-store.ts";
import { pieceStoreConformance } from "./piece-store.conformance.ts";

const options = { nowMs: () => 1_700_000_000_000, capacityBytes: 1024 * 1024 };

pieceStoreConformance("memory", async () => {
  const store = openMemoryStore(options);
  return { store, nowMs: options.nowMs(), [Symbol.asyncDispose]: () => store.close() };
});

test("write() into a full memory store says disk-full, and the piece is not held", async () => {
  const store = openMemoryStore({ ...options, capacityBytes: 200 * 1024 });
  const [one, two] = [await store.open(aTask()), await store.open(aTask())];
  await writePieces(one, 0, 1);
  await writePieces(two, 0);
  await expect(writePieces(two, 1)).rejects.toMatchObject({ code: "disk-full" });
  expect(two.heldCount).toBe(1);
});
