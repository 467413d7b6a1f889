import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  addAll,
  addPiece,
  addPieces,
  bitfieldBytes,
  countPieces,
  emptyBitfield,
  hasPiece,
  isBitfieldOf,
  keepOnly,
  piecesOf,
  removeAll,
  removePiece,
} from "./bitfield.ts";

const pieceCount = fc.integer({ min: 1, max: 300 });
const pieces = pieceCount.chain((count) =>
  fc.record({ count: fc.constant(count), numbers: fc.uniqueArray(fc.nat(count - 1)) }),
);

test("emptyBitfield() has a byte for every eight pieces, all clear", () => {
  expect([0, 1, 8, 9, 1024].map(bitfieldBytes)).toEqual([0, 1, 1, 2, 128]);
  expect(emptyBitfield(9)).toEqual(new Uint8Array(2));
});

test("the first piece is the least significant bit of the first byte", () => {
  const bits = emptyBitfield(10);
  addPiece(bits, 0);
  addPiece(bits, 9);
  expect([...bits]).toEqual([0b1, 0b10]);
});

test("a bitfield holds exactly the pieces that were added", () => {
  fc.assert(
    fc.property(pieces, ({ count, numbers }) => {
      const bits = emptyBitfield(count);
      for (const piece of numbers) expect(addPiece(bits, piece)).toBe(true);
      for (const piece of numbers) expect(addPiece(bits, piece)).toBe(false);
      expect([...piecesOf(bits, count)]).toEqual(numbers.toSorted((a, b) => a - b));
      expect(countPieces(bits)).toBe(numbers.length);
      expect(isBitfieldOf(bits, count)).toBe(true);
    }),
  );
});

test("removePiece() undoes addPiece() and tells whether there was anything to undo", () => {
  fc.assert(
    fc.property(pieces, fc.nat(299), ({ count, numbers }, other) => {
      const bits = emptyBitfield(count);
      for (const piece of numbers) addPiece(bits, piece);
      expect(removePiece(bits, other)).toBe(numbers.includes(other));
      expect(hasPiece(bits, other)).toBe(false);
      for (const piece of numbers) removePiece(bits, piece);
      expect(countPieces(bits)).toBe(0);
    }),
  );
});

test("pieces outside of the field are not there and cannot be put there", () => {
  const bits = emptyBitfield(8);
  for (const piece of [-1, 8, 1_000_000]) {
    expect(addPiece(bits, piece)).toBe(false);
    expect(removePiece(bits, piece)).toBe(false);
    expect(hasPiece(bits, piece)).toBe(false);
  }
  expect(countPieces(bits)).toBe(0);
});

test("isBitfieldOf() refuses a wrong length and bits beyond the last piece", () => {
  expect(isBitfieldOf(new Uint8Array(), 0)).toBe(true);
  expect(isBitfieldOf(Uint8Array.of(0), 0)).toBe(false);
  expect(isBitfieldOf(Uint8Array.of(0xff), 8)).toBe(true);
  expect(isBitfieldOf(Uint8Array.of(0xff), 7)).toBe(false);
  expect(isBitfieldOf(Uint8Array.of(0x7f), 7)).toBe(true);
  expect(isBitfieldOf(Uint8Array.of(0xff, 0x02), 9)).toBe(false);
  expect(isBitfieldOf(Uint8Array.of(0xff), 9)).toBe(false);
});

test("addPieces() sets a run, and nothing beyond the field however far that reaches", () => {
  const bits = emptyBitfield(16);
  addPieces(bits, 3, 6);
  addPieces(bits, 14, 2 ** 40);
  addPieces(bits, 40, 50);
  expect([...piecesOf(bits, 16)]).toEqual([3, 4, 5, 14, 15]);
});

test("addAll(), removeAll() and keepOnly() are union, difference and intersection", () => {
  fc.assert(
    fc.property(pieces, fc.infiniteStream(fc.boolean()), ({ count, numbers }, chance) => {
      const [bits, others] = [emptyBitfield(count), emptyBitfield(count)];
      for (const piece of numbers) addPiece(bits, piece);
      for (let piece = 0; piece < count; piece++) if (chance.next().value) addPiece(others, piece);
      const [united, left, common] = [bits.slice(), bits.slice(), bits.slice()];
      addAll(united, others);
      removeAll(left, others);
      keepOnly(common, others);
      for (let piece = 0; piece < count; piece++) {
        expect(hasPiece(united, piece)).toBe(hasPiece(bits, piece) || hasPiece(others, piece));
        expect(hasPiece(left, piece)).toBe(hasPiece(bits, piece) && !hasPiece(others, piece));
        expect(hasPiece(common, piece)).toBe(hasPiece(bits, piece) && hasPiece(others, piece));
      }
    }),
  );
});
