import { expect, test } from "bun:test";
import { type Figure, figureReport } from "./figure.ts";
import { figureTable, number } from "./figure-table.ts";
import { reachedBy } from "./goals.ts";

const WARM: Figure = {
  name: "warm.bytes_per_s",
  unit: "bytes/s",
  better: "higher",
  samples: [0.5e9, 0.9e9, 0.7e9],
  reference: { name: "curl -o", unit: "bytes/s", samples: [1e9, 2e9] },
};

test("figureReport() gives median, worst and the median of the reference", () => {
  expect(figureReport(WARM)).toEqual({
    name: "warm.bytes_per_s",
    value: 0.7e9,
    unit: "bytes/s",
    median: 0.7e9,
    worst: 0.5e9,
    reference: 1.5e9,
    referenceName: "curl -o, bytes/s",
  });
});

test("figureReport() lets the worst stand for all where that is what counts", () => {
  const figure: Figure = {
    name: "rss.transfer_mb",
    unit: "MB",
    better: "lower",
    samples: [90, 150, 120],
    value: "worst",
  };
  expect(figureReport(figure)).toEqual({ name: "rss.transfer_mb", value: 150, unit: "MB", median: 120, worst: 150 });
});

test("reachedBy() names the hardest goal that a value reaches", () => {
  const speed = { must: 0.6, want: 0.85, dream: 1.1 };
  expect([0.5, 0.6, 0.9, 1.1].map((value) => reachedBy(value, speed, "higher"))).toEqual([
    "missed",
    "must",
    "want",
    "dream",
  ]);
  expect(reachedBy(0.9, { must: 1.05, want: 1 }, "lower")).toBe("want");
});

test("figureTable() shows spread, goals, what was reached and the reference", () => {
  const [head, row] = figureTable([WARM]).split("\n");
  expect(head?.split(/ {2,}/)).toEqual([
    "figure",
    "unit",
    "median",
    "worst",
    "spread",
    "runs",
    "must/want/dream",
    "reached",
    "reference",
  ]);
  expect(row?.split(/ {2,}/)).toEqual([
    "warm.bytes_per_s",
    "GB/s",
    "0.700",
    "0.500",
    "57 %",
    "3",
    "0.600/0.850/1.10",
    "must",
    "curl -o: 1.50 GB/s",
  ]);
});

test("figureTable() tells figures of one name apart by the size of the file", () => {
  const speedup: Figure = { name: "documents.local.speedup", unit: "x", better: "higher", samples: [20] };
  const rows = figureTable([
    { ...speedup, sizeBytes: 0.5e9 },
    { ...speedup, sizeBytes: 2e9 },
  ]);
  expect(rows).toContain("documents.local.speedup (0.5 GB)");
  expect(rows).toContain("documents.local.speedup (2 GB)");
});

test("number() keeps three digits that count", () => {
  expect([0, 0.06712, 1.2345, 98.76, 12_345.6, -250.4].map(number)).toEqual([
    "0",
    "0.0671",
    "1.23",
    "98.8",
    "12346",
    "-250",
  ]);
});
