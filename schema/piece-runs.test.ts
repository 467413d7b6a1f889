import { expect, test } from "bun:test";
import { MAX_PIECE_COUNT } from "./piece.ts";
import { formatPieceRuns, parsePieceRuns } from "./piece-runs.ts";

test("runs that were written are read again", () => {
  const runs = [
    { firstPiece: 0, pieceCount: 4 },
    { firstPiece: 9, pieceCount: 1 },
  ];
  expect(formatPieceRuns(runs)).toBe("0-3,9-9");
  expect(parsePieceRuns("0-3,9-9", 2, 5)).toEqual(runs);
});

test("what is no list of runs, or too long a one, is refused", () => {
  for (const text of [
    "",
    "3",
    "3-2",
    "-1-2",
    "0-3,",
    "a-b",
    "0-3;4-5",
    `0-${MAX_PIECE_COUNT}`,
    "9999999999-9999999999",
  ])
    expect(parsePieceRuns(text, 8, MAX_PIECE_COUNT)).toBeUndefined();
  expect(parsePieceRuns("0-0,1-1,2-2", 2, 8)).toBeUndefined();
  expect(parsePieceRuns("0-3,4-8", 2, 8)).toBeUndefined();
});
