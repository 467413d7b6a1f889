import { expect, test } from "bun:test";
import fc from "fast-check";
import { pieceCountOf, pieceRange } from "../../schema/piece.ts";
import { cutPieces } from "./cut-pieces.ts";

async function* chunksOf(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let n = 0; at < bytes.length; n++) {
    const length = lengths[n % lengths.length] ?? 1;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

test("cutPieces() gives the same pieces however the stream is chunked", async () => {
  const chunkLengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 64 }),
      fc.nat(),
      chunkLengths,
      async (content, pieceLengthBytes, from, lengths) => {
        const total = pieceCountOf(content.length, pieceLengthBytes);
        const firstPiece = from % total;
        const stream = chunksOf(content.subarray(firstPiece * pieceLengthBytes), lengths);
        let received = 0;
        const options = {
          firstPiece,
          pieceCount: total - firstPiece,
          sizeBytes: content.length,
          pieceLengthBytes,
          received: (bytes: number) => {
            received += bytes;
          },
        };
        const got: number[] = [];
        for await (const { piece, bytes } of cutPieces(stream, options)) {
          const { start, end } = pieceRange(piece, content.length, pieceLengthBytes);
          expect(bytes).toEqual(content.slice(start, end));
          got.push(piece);
        }
        expect(got).toEqual(Array.from({ length: total - firstPiece }, (_, n) => firstPiece + n));
        expect(received).toBe(content.length - firstPiece * pieceLengthBytes);
      },
    ),
  );
});

test("cutPieces() keeps back a piece that did not come whole", async () => {
  const pieces: number[] = [];
  const stream = chunksOf(new Uint8Array(25), [7]);
  for await (const { piece } of cutPieces(stream, {
    firstPiece: 0,
    pieceCount: 3,
    sizeBytes: 30,
    pieceLengthBytes: 10,
  }))
    pieces.push(piece);
  expect(pieces).toEqual([0, 1]);
});
