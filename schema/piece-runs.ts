/** Runs of pieces as text in a query, like byte ranges: `0-3,9-9` is pieces 0 to 3 and piece 9. */
import { MAX_PIECE_COUNT } from "./piece.ts";
import type { PieceRun } from "./wire/peer-message.ts";

const RUN = /^(\d{1,9})-(\d{1,9})$/;

export function formatPieceRuns(runs: readonly PieceRun[]): string {
  return runs.map(({ firstPiece, pieceCount }) => `${firstPiece}-${firstPiece + pieceCount - 1}`).join(",");
}

/** `undefined` when it is none, has more than so many runs, or names more than so many pieces. */
export function parsePieceRuns(text: string, mostRuns: number, mostPieces: number): PieceRun[] | undefined {
  const parts = text.split(",", mostRuns + 1);
  if (parts.length > mostRuns) return undefined;
  const runs: PieceRun[] = [];
  let pieces = 0;
  for (const part of parts) {
    const [, first = "", last = ""] = RUN.exec(part) ?? [];
    const run = { firstPiece: Number(first), pieceCount: Number(last) - Number(first) + 1 };
    pieces += run.pieceCount;
    if (first === "" || run.pieceCount < 1 || pieces > mostPieces || Number(last) >= MAX_PIECE_COUNT) return undefined;
    runs.push(run);
  }
  return runs;
}
