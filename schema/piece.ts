/** Piece arithmetic. A piece is a fixed-length run of a task, numbered from 0; only the last one may be shorter. */

const KIB = 1024;
const MIB = 1024 * KIB;

export const MIN_PIECE_LENGTH_BYTES = 256 * KIB;
export const MAX_PIECE_LENGTH_BYTES = 16 * MIB;
/** A user may ask for longer or shorter pieces than the rule gives, within these bounds. */
export const MIN_USER_PIECE_LENGTH_BYTES = 64 * KIB;
export const MAX_USER_PIECE_LENGTH_BYTES = 64 * MIB;
/** About this many pieces a task: few enough to name each in one message, enough to keep a herd's pipeline full
 *  (k = 256 reaches 89 % of the bound, k = 1024 93 %, k = 32 only 65 %: simulation in the design's field notes 2.3). */
export const TARGET_PIECE_COUNT = 1024;
/** Largest task we plan: 2^20 pieces of the longest length, 16 TiB by the rule. */
export const MAX_PIECE_COUNT = 1 << 20;

/** Piece length in bytes for a task of `sizeBytes`: clamp(next power of two of size / 1024, 256 KiB, 16 MiB). */
export function pieceLengthFor(sizeBytes: number): number {
  let length = MIN_PIECE_LENGTH_BYTES;
  while (length < MAX_PIECE_LENGTH_BYTES && length * TARGET_PIECE_COUNT < sizeBytes) length *= 2;
  return length;
}

/** Number of pieces; 0 for an empty file. */
export function pieceCountOf(sizeBytes: number, pieceLengthBytes: number): number {
  return Math.ceil(sizeBytes / pieceLengthBytes);
}

/** Half-open byte range `[start, end)` of one piece. */
export function pieceRange(
  piece: number,
  sizeBytes: number,
  pieceLengthBytes: number,
): { readonly start: number; readonly end: number } {
  const start = piece * pieceLengthBytes;
  return { start, end: Math.min(start + pieceLengthBytes, sizeBytes) };
}
