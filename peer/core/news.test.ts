import { expect, test } from "bun:test";
import { addPiece, emptyBitfield } from "../../schema/bitfield.ts";
import { newsPauseMs } from "./news.ts";
import { DEFAULT_TRANSFER_POLICY } from "./policy.ts";

const { newsPauseMs: shortestMs, newsPauseMaxMs: longestMs } = DEFAULT_TRANSFER_POLICY;

function bits(count: number) {
  const field = emptyBitfield(512);
  for (let piece = 0; piece < count; piece++) addPiece(field, piece);
  return field;
}

const pause = (offered: number, held: number, piecesPerSecond: number) =>
  newsPauseMs({ offered: bits(offered), held: bits(held), piecesPerSecond }, DEFAULT_TRANSFER_POLICY);

test("newsPauseMs() asks again when half of what a neighbour has for us could be taken", () => {
  expect(pause(100, 40, 50)).toBe(600);
});

test("newsPauseMs() asks after a few pieces of our own pace while a neighbour has nothing for us", () => {
  expect(pause(40, 40, 100)).toBe(120);
  expect(pause(40, 40, 10)).toBe(DEFAULT_TRANSFER_POLICY.newsPausePiecesMaxMs);
});

test("newsPauseMs() asks soon while our pace is high or not known", () => {
  expect(pause(40, 40, 5000)).toBe(shortestMs);
  expect(pause(500, 0, 0)).toBe(shortestMs);
});

test("newsPauseMs() asks now and then whatever is there to take", () => {
  expect(pause(512, 0, 1)).toBe(longestMs);
});
