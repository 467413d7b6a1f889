/** The task's own list of piece digests, as the scheduler relays it. Pieces are verified against this and nothing else. */
import { addPiece, type Bitfield, emptyBitfield, hasPiece } from "../../schema/bitfield.ts";
import { PIECE_DIGEST_BYTES } from "../../schema/digest.ts";
import type { DigestRun } from "../../schema/wire/task.ts";

export class PieceDigests {
  /** Pieces whose digest is known. */
  readonly known: Bitfield;
  #digests: Uint8Array;
  #pieceCount: number;

  constructor(pieceCount: number) {
    this.#pieceCount = pieceCount;
    this.known = emptyBitfield(pieceCount);
    this.#digests = new Uint8Array(pieceCount * PIECE_DIGEST_BYTES);
  }

  get(piece: number): Uint8Array | undefined {
    if (!hasPiece(this.known, piece)) return undefined;
    return this.#digests.subarray(piece * PIECE_DIGEST_BYTES, (piece + 1) * PIECE_DIGEST_BYTES);
  }

  /** Adds what was not known; the first digest of a piece stays. Pieces beyond the task are ignored. */
  add(run: DigestRun): void {
    const count = Math.floor(run.digests.length / PIECE_DIGEST_BYTES);
    for (let n = 0; n < count && run.firstPiece + n < this.#pieceCount; n++) {
      if (!addPiece(this.known, run.firstPiece + n)) continue;
      const digest = run.digests.subarray(n * PIECE_DIGEST_BYTES, (n + 1) * PIECE_DIGEST_BYTES);
      this.#digests.set(digest, (run.firstPiece + n) * PIECE_DIGEST_BYTES);
    }
  }

  /** Whether `digest` is the known one of the piece. */
  matches(piece: number, digest: Uint8Array): boolean {
    const known = this.get(piece);
    return known !== undefined && Buffer.compare(known, digest) === 0;
  }
}
