import { pieceRange } from "../../schema/piece.ts";

/** A part of a piece, behind those that came before. */
export interface PiecePart {
  readonly piece: number;
  readonly bytes: Uint8Array;
  /** Whether the piece ends with it. */
  readonly last: boolean;
}

export interface CutOptions {
  readonly firstPiece: number;
  readonly pieceCount: number;
  readonly sizeBytes: number;
  readonly pieceLengthBytes: number;
  /** Called with the length of every chunk as it arrives. */
  readonly received?: (bytes: number) => void;
}

/** Cuts a stream that starts at the beginning of `firstPiece` where pieces end; nothing is copied or held back.
 *  The stream must bring exactly the bytes of the run; a source guarantees that or throws. */
export async function* cutPieces(stream: AsyncIterable<Uint8Array>, options: CutOptions): AsyncGenerator<PiecePart> {
  const { firstPiece, pieceCount, sizeBytes, pieceLengthBytes, received } = options;
  const lengthOf = (piece: number) => {
    const { start, end } = pieceRange(piece, sizeBytes, pieceLengthBytes);
    return end - start;
  };
  let piece = firstPiece;
  let missing = lengthOf(piece);
  for await (const chunk of stream) {
    received?.(chunk.length);
    let rest = chunk;
    while (rest.length > 0 && piece < firstPiece + pieceCount) {
      const bytes = rest.subarray(0, missing);
      rest = rest.subarray(bytes.length);
      missing -= bytes.length;
      yield { piece, bytes, last: missing === 0 };
      if (missing === 0) missing = lengthOf(++piece);
    }
  }
}
