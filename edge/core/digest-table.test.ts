import { describe, expect, test } from "bun:test";
import { DIGESTS_PER_CHUNK, PIECE_DIGEST_BYTES } from "../../schema/digest.ts";
import { DigestTable } from "./digest-table.ts";
import { bitfieldOf, digestOf } from "./testing/fixtures.ts";

function tableOf(pieceCount: number, pieces: Iterable<number>): DigestTable {
  const table = new DigestTable(pieceCount);
  for (const piece of pieces) table.add(piece, digestOf(piece));
  return table;
}

const countUp = (count: number) => Array.from({ length: count }, (_, number) => number);
const shapeOf = (runs: readonly { firstPiece: number; digests: Uint8Array }[]) =>
  runs.map((run) => [run.firstPiece, run.digests.length / PIECE_DIGEST_BYTES]);

describe("DigestTable", () => {
  test("add() keeps the first digest of a piece", () => {
    const table = new DigestTable(4);
    expect(table.add(2, digestOf(2))).toBe("new");
    expect(table.add(2, digestOf(2))).toBe("same");
    expect(table.add(2, digestOf(2, 1))).toBe("different");
    expect(table.get(2)).toEqual(digestOf(2));
    expect(table.get(3)).toBeUndefined();
    expect(table.knownCount).toBe(1);
  });

  test("runs() joins neighbours and cuts long runs", () => {
    const table = tableOf(3000, [0, 1, 2, 7, ...countUp(5).map((n) => n + 1022)]);
    expect(shapeOf(table.runs(100))).toEqual([
      [0, 3],
      [7, 1],
      [1022, 5],
    ]);
    expect(shapeOf(table.runs(2))).toEqual([
      [0, 2],
      [2, 1],
      [7, 1],
      [1022, 2],
      [1024, 2],
      [1026, 1],
    ]);
    expect(table.runs(100)[2]?.digests.subarray(0, PIECE_DIGEST_BYTES)).toEqual(digestOf(1022));
  });

  test("runsSince() gives what came later, in file order", () => {
    const table = tableOf(10, [5, 1]);
    const before = table.logLength;
    for (const piece of [9, 2, 3]) table.add(piece, digestOf(piece));
    expect(shapeOf(table.runsSince(before, 100))).toEqual([
      [2, 2],
      [9, 1],
    ]);
    expect(table.runsSince(table.logLength, 100)).toEqual([]);
  });

  test("takeDirty() gives full chunks first, and the rest when asked, each once", () => {
    const table = tableOf(DIGESTS_PER_CHUNK + 10, [...countUp(DIGESTS_PER_CHUNK), DIGESTS_PER_CHUNK + 3]);
    const [full, ...none] = table.takeDirty(true);
    expect(none).toEqual([]);
    expect(full?.chunk).toBe(0);
    expect(full?.digests.length).toBe(DIGESTS_PER_CHUNK * PIECE_DIGEST_BYTES);
    const [rest] = table.takeDirty(false);
    expect(rest?.chunk).toBe(1);
    expect(Array.from(rest?.known ?? [])).toEqual(Array.from(bitfieldOf(10, [3])));
    expect(rest?.digests.length).toBe(10 * PIECE_DIGEST_BYTES);
    expect(table.takeDirty(false)).toEqual([]);
  });

  test("what takeDirty() gave makes the same table again", () => {
    const table = tableOf(DIGESTS_PER_CHUNK + 10, [0, 5, DIGESTS_PER_CHUNK, DIGESTS_PER_CHUNK + 9]);
    const again = new DigestTable(DIGESTS_PER_CHUNK + 10);
    for (const { chunk, known, digests } of table.takeDirty(false)) again.restore(chunk, known, digests);
    expect(again.known).toEqual(table.known);
    expect(again.runs(100)).toEqual(table.runs(100));
    expect(again.takeDirty(false)).toEqual([]);
  });

  test("restore() ignores a chunk of another shape", () => {
    const table = new DigestTable(10);
    table.restore(0, Uint8Array.of(255), new Uint8Array(7));
    expect(table.knownCount).toBe(0);
  });
});
