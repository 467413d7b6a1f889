import { expect, test } from "bun:test";
import { medianOf, spreadOf, worstOf } from "./stats.ts";

test("medianOf() gives the middle value, or the mean of the two in the middle, in whatever order they come", () => {
  expect(medianOf([9, 1, 5])).toBe(5);
  expect(medianOf([4, 1, 2, 3])).toBe(2.5);
  expect(medianOf([7])).toBe(7);
});

test("there is neither a median nor a worst of nothing", () => {
  expect(() => medianOf([])).toThrow(RangeError);
  expect(() => worstOf([], "lower")).toThrow(RangeError);
});

test("worstOf() is the lowest speed and the longest time", () => {
  expect(worstOf([3, 1, 2], "higher")).toBe(1);
  expect(worstOf([3, 1, 2], "lower")).toBe(3);
});

test("spreadOf() is the distance of the extremes as a share of the median", () => {
  expect(spreadOf([8, 10, 12])).toBeCloseTo(0.4);
  expect(spreadOf([5])).toBe(0);
  expect(spreadOf([0, 0])).toBe(0);
});
