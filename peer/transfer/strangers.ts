import { hasPiece } from "../../schema/bitfield.ts";
import { PIECE_DIGEST_BYTES } from "../../schema/digest.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import type { DigestRun } from "../../schema/wire/task.ts";
import type { StoredTask } from "../store/piece-store.ts";
import type { PieceDigests } from "./piece-digests.ts";

/** Held pieces that the list of the task, as these runs tell it, does not know: they were kept before, of another content
 *  under the same name. */
export function strangersIn(runs: readonly DigestRun[], task: StoredTask, digests: PieceDigests): number[] {
  const pieceCount = pieceCountOf(task.info.sizeBytes, task.info.pieceLengthBytes);
  const strangers: number[] = [];
  for (const run of runs) {
    const end = Math.min(pieceCount, run.firstPiece + run.digests.length / PIECE_DIGEST_BYTES);
    for (let piece = run.firstPiece; piece < end; piece++) {
      const digest = hasPiece(task.held, piece) ? task.digestOf(piece) : undefined;
      if (digest !== undefined && !digests.matches(piece, digest)) strangers.push(piece);
    }
  }
  return strangers;
}
