import { expect, test } from "bun:test";
import { bpsOfMbit, lowerBoundSeconds } from "./lower-bound.ts";

const F = 128 * 2 ** 20;
const R = bpsOfMbit(100);

test("lowerBoundSeconds() of equal links is the time one link needs for the file", () => {
  expect(lowerBoundSeconds(F, { sourceBps: R, hostsBps: Array(12).fill(R) })).toBeCloseTo(10.737, 3);
});

test("lowerBoundSeconds() counts a source slower than the links, and the slowest host", () => {
  expect(lowerBoundSeconds(F, { sourceBps: R / 2, hostsBps: [R, R] })).toBeCloseTo(21.475, 3);
  expect(lowerBoundSeconds(F, { sourceBps: R, hostsBps: [R, R, R / 10] })).toBeCloseTo(107.37, 2);
});

test("lowerBoundSeconds() counts all uploads together where they are the bottleneck, a seed's too", () => {
  const fast = { sourceBps: R, hostsBps: [R, R, R, R].map((bps) => bps / 4) };
  expect(lowerBoundSeconds(F, { ...fast, hostsBps: Array(8).fill(R) })).toBeCloseTo(F / R, 6);
  const uploads = { sourceBps: R / 8, hostsBps: Array(4).fill(R) };
  expect(lowerBoundSeconds(F, uploads)).toBeCloseTo((8 * F) / R, 6);
  expect(lowerBoundSeconds(F, { ...fast, seedsBps: [R] })).toBeCloseTo((4 * F) / R, 6);
});
