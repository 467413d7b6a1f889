import { expect, test } from "bun:test";
import { trendOf } from "./trend.ts";

const MINUTE_MS = 60_000;
/** One sample a minute. */
const minutes = (count: number, valueAt: (minute: number) => number) =>
  Array.from({ length: count }, (_, minute) => ({ atMs: 1e9 + minute * MINUTE_MS, value: valueAt(minute) }));

test("trendOf() finds the slope of a line, in units an hour", () => {
  const trend = trendOf(minutes(21, (minute) => 100 + minute / 2));
  expect(trend.perHour).toBeCloseTo(30);
  expect(trend.errorPerHour).toBeCloseTo(0);
});

test("trendOf() leaves out the first quarter, in which caches fill", () => {
  const trend = trendOf(minutes(41, (minute) => (minute < 10 ? minute * 50 : 500)));
  expect(trend.perHour).toBe(0);
  expect(trend.sampleCount).toBe(31);
});

test("trendOf() tells by its error that noise is no trend", () => {
  const trend = trendOf(minutes(60, (minute) => 100 + (minute % 2 === 0 ? 5 : -5)));
  expect(Math.abs(trend.perHour)).toBeLessThan(2 * trend.errorPerHour);
});

test("trendOf() says nothing of fewer than three samples", () => {
  expect(trendOf(minutes(2, (minute) => minute))).toMatchObject({
    perHour: 0,
    errorPerHour: Number.POSITIVE_INFINITY,
  });
});
