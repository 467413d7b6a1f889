import { expect, test } from "bun:test";
import { blake3 } from "../store/hash.ts";
import type { StoredTask } from "../store/piece-store.ts";
import { PIECE_BYTES, pieceBytes, storedTask } from "./fixtures.ts";
import { PieceDigests } from "./piece-digests.ts";
import type { PieceOrigin } from "./piece-intake.ts";
import { PieceKeeper } from "./piece-keeper.ts";
import { ProgressReport } from "./progress-report.ts";

/** A piece that has come whole. */
async function arrive(keeper: PieceKeeper, piece: number, origin: PieceOrigin, bytes: Uint8Array) {
  const intake = keeper.begin(piece, origin);
  for (let at = 0; at < bytes.length; at += 10_000) await intake.append(bytes.subarray(at, at + 10_000));
  return await keeper.finish(intake);
}

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
    arrive(keeper, 0, "parent", pieceBytes(0)),
    arrive(keeper, 0, "parent", pieceBytes(0)),
    arrive(keeper, 0, "source", pieceBytes(0)),
  ];
  await Promise.all(arrivals);
  expect([totals.peerBytes + totals.sourceBytes, kept()]).toEqual([PIECE_BYTES, 1]);
});

test("bytes of a parent that are not the piece are not kept", async () => {
  const task = await storedTask(2);
  const { keeper, digests } = keeperOf(task);
  expect(await arrive(keeper, 0, "parent", pieceBytes(0))).toBe("corrupt");
  digests.add({ firstPiece: 0, digests: blake3(pieceBytes(0)) });
  expect(await arrive(keeper, 0, "parent", pieceBytes(1))).toBe("corrupt");
  expect(task.heldCount).toBe(0);
});

test("bytes of the source that others read differently end the download", async () => {
  const { keeper, digests } = keeperOf(await storedTask(2));
  digests.add({ firstPiece: 1, digests: blake3(pieceBytes(1)) });
  await expect(arrive(keeper, 1, "source", pieceBytes(0))).rejects.toMatchObject({ code: "source-changed" });
});

test("what comes from the source can be read as it comes, unless its digest is known", async () => {
  const task = await storedTask(2);
  const { keeper, digests } = keeperOf(task);
  digests.add({ firstPiece: 1, digests: blake3(pieceBytes(1)) });
  using _first = await begun(0);
  using _second = await begun(1);
  while (task.readableBytes(0) === 0) await task.grown(task.growth, 1000);
  expect([task.readableBytes(0), task.readableBytes(1)]).toEqual([10_000, 0]);

  async function begun(piece: number) {
    const intake = keeper.begin(piece, "source");
    await intake.append(pieceBytes(piece).subarray(0, 10_000));
    return intake;
  }
});

test("idle() waits for pieces that are being kept", async () => {
  const task = await storedTask(2);
  const { keeper, kept } = keeperOf(task);
  const intake = keeper.begin(0, "source");
  await intake.append(pieceBytes(0));
  void keeper.finish(intake);
  await keeper.idle();
  expect([kept(), task.heldCount]).toEqual([1, 1]);
});
