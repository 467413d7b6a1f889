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
        let bytes: number[] = [];
        for await (const part of cutPieces(stream, options)) {
          bytes.push(...part.bytes);
          if (!part.last) continue;
          const { start, end } = pieceRange(part.piece, content.length, pieceLengthBytes);
          expect(bytes).toEqual([...content.slice(start, end)]);
          bytes = [];
          got.push(part.piece);
        }
        expect(got).toEqual(Array.from({ length: total - firstPiece }, (_, n) => firstPiece + n));
        expect(received).toBe(content.length - firstPiece * pieceLengthBytes);
      },
    ),
  );
});

test("cutPieces() says of no piece that it ended when it did not come whole", async () => {
  const pieces: number[] = [];
  const stream = chunksOf(new Uint8Array(25), [7]);
  const options = { firstPiece: 0, pieceCount: 3, sizeBytes: 30, pieceLengthBytes: 10 };
  for await (const { piece, last } of cutPieces(stream, options)) if (last) pieces.push(piece);
  expect(pieces).toEqual([0, 1]);
});
