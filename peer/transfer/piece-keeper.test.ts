import { expect, test } from "bun:test";
import { blake3 } from "../store/hash.ts";
import type { StoredTask } from "../store/piece-store.ts";
import { PIECE_BYTES, pieceBytes, storedTask } from "./fixtures.ts";
import { PieceDigests } from "./piece-digests.ts";
import { PieceKeeper } from "./piece-keeper.ts";
import { ProgressReport } from "./progress-report.ts";

function keeperOf(task: StoredTask) {
  const digests = new PieceDigests(2);
  const totals = { sourceBytes: 0, peerBytes: 0 };
  let kept = 0;
  const report = new ProgressReport();
  const keeper = new PieceKeeper({ task, digests, report, totals, kept: () => void kept++ });
  return { keeper, digests, totals, kept: () => kept };
}

test("a piece that comes several times at once counts once", async () => {
  const { keeper, digests, totals, kept } = keeperOf(await storedTask(2));
  digests.add({ firstPiece: 0, digests: blake3(pieceBytes(0)) });
  const arrivals = [
    keeper.fromParent(0, pieceBytes(0)),
    keeper.fromParent(0, pieceBytes(0)),
    keeper.fromSource(0, pieceBytes(0)),
  ];
  await Promise.all(arrivals);
  expect([totals.peerBytes + totals.sourceBytes, kept()]).toEqual([PIECE_BYTES, 1]);
});

test("bytes of a parent that are not the piece are not kept", async () => {
  const task = await storedTask(2);
  const { keeper, digests } = keeperOf(task);
  expect(await keeper.fromParent(0, pieceBytes(0))).toBe("corrupt");
  digests.add({ firstPiece: 0, digests: blake3(pieceBytes(0)) });
  expect(await keeper.fromParent(0, pieceBytes(1))).toBe("corrupt");
  expect(task.heldCount).toBe(0);
});

test("bytes of the source that others read differently end the download", async () => {
  const { keeper, digests } = keeperOf(await storedTask(2));
  digests.add({ firstPiece: 1, digests: blake3(pieceBytes(1)) });
  expect(keeper.fromSource(1, pieceBytes(0))).rejects.toMatchObject({ code: "source-changed" });
});

test("idle() waits for pieces that are being kept", async () => {
  const task = await storedTask(2);
  const { keeper, kept } = keeperOf(task);
  void keeper.fromSource(0, pieceBytes(0));
  await keeper.idle();
  expect([kept(), task.heldCount]).toEqual([1, 1]);
});
