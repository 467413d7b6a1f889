import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  MAX_PIECE_COUNT,
  MAX_PIECE_LENGTH_BYTES,
  MIN_PIECE_LENGTH_BYTES,
  pieceCountOf,
  pieceLengthFor,
  pieceRange,
  TARGET_PIECE_COUNT,
} from "./piece.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

test.each([
  [0, 256 * KIB, 0],
  [1, 256 * KIB, 1],
  [256 * KIB, 256 * KIB, 1],
  [256 * KIB + 1, 256 * KIB, 2],
  [256 * MIB, 256 * KIB, 1024],
  [256 * MIB + 1, 512 * KIB, 513],
  [GIB, MIB, 1024],
  [10 * GIB, 16 * MIB, 640],
  [16 * GIB, 16 * MIB, 1024],
  [1024 * GIB, 16 * MIB, 65_536],
])("%d bytes are cut into pieces of %d bytes, %d of them", (sizeBytes, lengthBytes, count) => {
  expect(pieceLengthFor(sizeBytes)).toBe(lengthBytes);
  expect(pieceCountOf(sizeBytes, lengthBytes)).toBe(count);
});

test("pieceLengthFor() gives the shortest power of two within bounds that keeps to the target count", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 44), (sizeBytes) => {
      const length = pieceLengthFor(sizeBytes);
      expect(Math.log2(length) % 1).toBe(0);
      expect(length >= MIN_PIECE_LENGTH_BYTES && length <= MAX_PIECE_LENGTH_BYTES).toBe(true);
      if (length < MAX_PIECE_LENGTH_BYTES)
        expect(pieceCountOf(sizeBytes, length)).toBeLessThanOrEqual(TARGET_PIECE_COUNT);
      if (length > MIN_PIECE_LENGTH_BYTES) expect((length / 2) * TARGET_PIECE_COUNT).toBeLessThan(sizeBytes);
      expect(pieceCountOf(sizeBytes, length)).toBeLessThanOrEqual(MAX_PIECE_COUNT);
    }),
  );
});

test("the pieces of a task cover it once, in order, without gaps", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 500 }), (sizeBytes, lengthBytes) => {
      let at = 0;
      const count = pieceCountOf(sizeBytes, lengthBytes);
      for (let piece = 0; piece < count; piece++) {
        const { start, end } = pieceRange(piece, sizeBytes, lengthBytes);
        expect(start).toBe(at);
        expect(end - start).toBe(piece < count - 1 ? lengthBytes : sizeBytes - start);
        expect(end).toBeGreaterThan(start);
        at = end;
      }
      expect(at).toBe(sizeBytes);
    }),
  );
});
