import { expect, test } from "bun:test";
import { trendOf } from "./trend.ts";

/** As the soak samples: every 3 s. */
const INTERVAL_MS = 3000;
const MINUTES = 20;

const series = (valueAt: (minute: number) => number, minutes = MINUTES) =>
  Array.from({ length: (minutes * 60_000) / INTERVAL_MS }, (_, n) => ({
    atMs: 1e9 + n * INTERVAL_MS,
    value: valueAt((n * INTERVAL_MS) / 60_000),
  }));

/** Numbers in [-0.5, 0.5) that are the same every time: a linear congruence. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

/** Noise in which each sample keeps most of the one before, as memory does; its deviation is about 2. */
function memoryNoise(seed: number): () => number {
  const draw = dice(seed);
  let last = 0;
  return () => {
    last = 0.9 * last + 3 * draw();
    return last;
  };
}

test("trendOf() finds the slope of a line, in units an hour, and claims it", () => {
  const trend = trendOf(series((minute) => 100 + minute / 2));
  expect(trend.perHour).toBeCloseTo(30);
  expect(trend.marginPerHour).toBeCloseTo(0);
  expect(trend.verdict).toBe("grows");
  expect(trendOf(series((minute) => 100 - minute)).verdict).toBe("shrinks");
});

test("trendOf() leaves out the first quarter, in which caches fill", () => {
  expect(trendOf(series((minute) => (minute < 5 ? minute * 50 : 500)))).toMatchObject({
    perHour: 0,
    verdict: "no trend",
  });
});

test("trendOf() takes a saw-tooth for what it is: a heap that is collected", () => {
  expect(trendOf(series((minute) => 100 + (minute % 3) * 20)).verdict).toBe("no trend");
});

test("trendOf() claims a trend in noise that wanders hardly ever, and finds a small leak in it hardly ever not", () => {
  const seeds = Array.from({ length: 300 }, (_, n) => n * 7919 + 1);
  const claims = (leakPerHour: number) =>
    seeds.filter((seed) => {
      const noise = memoryNoise(seed);
      return trendOf(series((minute) => 100 + (leakPerHour * minute) / 60 + noise())).verdict !== "no trend";
    }).length;
  expect(claims(0)).toBeLessThan(10);
  expect(claims(40)).toBeGreaterThan(290);
});

test("trendOf() claims nothing of a time that is too short, nor of hardly any samples", () => {
  const short = trendOf(series((minute) => minute, 4));
  expect([short.verdict, short.marginPerHour]).toEqual(["too short", Number.POSITIVE_INFINITY]);
  expect(short.perHour).toBeCloseTo(60);
  expect(trendOf(series((minute) => minute, 0.1))).toMatchObject({ verdict: "too short" });
  expect(trendOf([{ atMs: 1, value: 1 }])).toMatchObject({ perHour: 0, verdict: "too short" });
});
