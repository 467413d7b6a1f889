import { expect, test } from "bun:test";
import { addPiece, emptyBitfield } from "../../schema/bitfield.ts";
import { isHungry, newsPauseMs } from "./news.ts";
import { DEFAULT_TRANSFER_POLICY } from "./policy.ts";

const { newsPauseMs: shortestMs, newsPauseMaxMs: longestMs } = DEFAULT_TRANSFER_POLICY;

function bits(count: number) {
  const field = emptyBitfield(512);
  for (let piece = 0; piece < count; piece++) addPiece(field, piece);
  return field;
}

const pause = (offered: number, held: number, piecesPerSecond: number, neighbourCount = 1, hungry = false) =>
  newsPauseMs(
    { offered: bits(offered), held: bits(held), neighbourCount, piecesPerSecond, hungry: () => hungry },
    DEFAULT_TRANSFER_POLICY,
  );

test("newsPauseMs() asks again when half of what a neighbour has for us could be taken", () => {
  expect(pause(100, 40, 50)).toBe(600);
});

test("newsPauseMs() has so many questions for all neighbours together, by how fast pieces come", () => {
  const { questionsPerPiece, fewestQuestionsPerSecond, mostQuestionsPerSecond, piecesPerQuestion } =
    DEFAULT_TRANSFER_POLICY;
  const questionsPerSecond = (piecesPerSecond: number, neighbours: number) =>
    (1000 * neighbours) / pause(40, 40, piecesPerSecond, neighbours);
  for (const neighbours of [4, 11, 23]) {
    expect(questionsPerSecond(0.1, neighbours)).toBeCloseTo(fewestQuestionsPerSecond);
    expect(questionsPerSecond(10, neighbours)).toBeCloseTo(10 * questionsPerPiece);
    expect(questionsPerSecond(40, neighbours)).toBeCloseTo(mostQuestionsPerSecond);
    expect(questionsPerSecond(80, neighbours)).toBeCloseTo(80 / piecesPerQuestion);
  }
});

test("newsPauseMs() asks as often as it may where there is next to nothing to ask for", () => {
  expect(pause(40, 40, 1, 10, true)).toBeCloseTo(10_000 / DEFAULT_TRANSFER_POLICY.mostQuestionsPerSecond);
});

test("isHungry() looks at what all offer together, beyond what is under way", () => {
  const { hungryPieces } = DEFAULT_TRANSFER_POLICY;
  const view = { held: bits(100), offers: [bits(20), bits(100 + hungryPieces + 3)], underWayCount: 3 };
  expect(isHungry(view, DEFAULT_TRANSFER_POLICY)).toBe(true);
  expect(isHungry({ ...view, underWayCount: 2 }, DEFAULT_TRANSFER_POLICY)).toBe(false);
  expect(isHungry({ ...view, offers: [] }, DEFAULT_TRANSFER_POLICY)).toBe(true);
});

test("newsPauseMs() asks soon while our pace is high or not known", () => {
  expect(pause(40, 40, 5000, 30)).toBe(shortestMs);
  expect(pause(500, 0, 0)).toBe(shortestMs);
});

test("newsPauseMs() asks now and then whatever is there to take", () => {
  expect(pause(512, 0, 1)).toBe(longestMs);
});
