import { pieceRange } from "../../schema/piece.ts";

export interface CutPiece {
  readonly piece: number;
  readonly bytes: Uint8Array;
}

export interface CutOptions {
  readonly firstPiece: number;
  readonly pieceCount: number;
  readonly sizeBytes: number;
  readonly pieceLengthBytes: number;
  /** Called with the length of every chunk as it arrives. */
  readonly received?: (bytes: number) => void;
}

/** Cuts a stream that starts at the beginning of `firstPiece` into whole pieces. Holds one piece at a time.
 *  The stream must bring exactly the bytes of the run; a source guarantees that or throws. */
export async function* cutPieces(stream: AsyncIterable<Uint8Array>, options: CutOptions): AsyncGenerator<CutPiece> {
  const lengthOf = (piece: number) => {
    const range = pieceRange(piece, options.sizeBytes, options.pieceLengthBytes);
    return range.end - range.start;
  };
  const end = options.firstPiece + options.pieceCount;
  let piece = options.firstPiece;
  let bytes = new Uint8Array(lengthOf(piece));
  let filled = 0;
  for await (const chunk of stream) {
    options.received?.(chunk.length);
    let rest = chunk;
    while (rest.length > 0 && piece < end) {
      const part = rest.subarray(0, bytes.length - filled);
      bytes.set(part, filled);
      filled += part.length;
      rest = rest.subarray(part.length);
      if (filled < bytes.length) continue;
      yield { piece, bytes };
      piece++;
      bytes = new Uint8Array(piece < end ? lengthOf(piece) : 0);
      filled = 0;
    }
  }
}
