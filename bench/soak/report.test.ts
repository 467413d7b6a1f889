import { expect, test } from "bun:test";
import type { Trend } from "../lib/trend.ts";
import { figuresOf, notesOf } from "./report.ts";
import type { LifeTrend } from "./samples.ts";
import { Tally } from "./tally.ts";

const STILL: Trend = { perHour: -3, marginPerHour: 8, verdict: "no trend" };
const GROWS: Trend = { perHour: 50, marginPerHour: 20, verdict: "grows" };
const SHORT: Trend = { perHour: 400, marginPerHour: Number.POSITIVE_INFINITY, verdict: "too short" };

const life = (name: string, rssMb: Trend, openFiles: Trend): LifeTrend => ({
  name,
  rssMb,
  openFiles,
  lastRssMb: 101.4,
  lastOpenFiles: 40,
});

const growing = (trends: readonly LifeTrend[]) =>
  figuresOf(trends, new Tally()).find(({ name }) => name === "soak.growing")?.samples;

test("figuresOf() counts the lines that grow for certain, not those that only point upwards", () => {
  expect(growing([life("seed-1", GROWS, STILL), life("peer-1", STILL, GROWS)])).toEqual([2]);
  expect(growing([life("seed-1", STILL, STILL)])).toEqual([0]);
});

test("figuresOf() does not count them when the time was too short to tell, and the notes say so", () => {
  const trends = [life("seed-1", SHORT, STILL)];
  expect(growing(trends)).toBeUndefined();
  expect(notesOf(trends, new Tally()).join("\n")).toContain("give it 9 minutes at least");
});

test("notesOf() tells each slope with its margin, and every failure", () => {
  const tally = new Tally();
  tally.count("gets");
  tally.fail("left on disk: x");
  expect(notesOf([life("seed-1", GROWS, STILL)], tally)).toEqual([
    "1 gets",
    "seed-1: RSS grows, 50.0 ± 20.0 MB/h (now 101 MB), open files no trend, -3.00 ± 8.00 /h (now 40)",
    "FAILED: left on disk: x",
  ]);
});
