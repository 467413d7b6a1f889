import { expect, test } from "bun:test";
import { bytesAt, medianCurve } from "./median-curve.ts";
import { progressChart } from "./progress-chart.ts";
import type { HerdRun } from "./run-herd.ts";

const MIB = 2 ** 20;
const ended = { path: "", taskId: "", sourceBytes: 0 };
const RUN: HerdRun = {
  plan: {
    hosts: 3,
    seeds: 0,
    rateMbit: 80,
    sourceMbit: 80,
    sizeBytes: 100 * MIB,
    slowShare: 0,
    killShare: 0.3,
    joinSeconds: 0,
    zones: 1,
  },
  gets: [{ ...ended, endMs: 12_000 }, { ...ended, endMs: 14_000 }, undefined],
  failures: [],
  curves: [
    [mark(0, 0), mark(6000, 50), mark(12_000, 100)],
    [mark(0, 0), mark(14_000, 100)],
    [mark(0, 0), mark(4000, 20)],
  ],
  troubles: [
    { ms: 2000, kind: "scheduler-killed" },
    { ms: 5000, kind: "host-killed", name: "host-3" },
  ],
  sourceBytes: 105 * MIB,
  sourceWireBytes: 110 * MIB,
  zoneBytes: [],
  busyShare: 0.4,
  cpuSeconds: 3,
};

test("bytesAt() moves evenly between marks", () => {
  const marks = [mark(1000, 0), mark(3000, 50), mark(4000, 100)];
  expect([0, 1000, 2000, 3500, 9000].map((ms) => bytesAt(marks, ms) / MIB)).toEqual([0, 0, 25, 75, 100]);
});

test("medianCurve() is that of the host in the middle at each moment", () => {
  const curve = medianCurve([
    [mark(0, 0), mark(10, 10)],
    [mark(0, 0), mark(10, 20)],
    [mark(0, 0), mark(10, 100)],
  ]);
  expect(curve[0]).toEqual(mark(0, 0));
  expect(curve.at(-1)).toEqual(mark(10, 20));
  expect(medianCurve([])).toEqual([]);
});

test("progressChart() draws lines for each host, the median and a full link, a cross where one was killed, and names what it shows", () => {
  const chart = progressChart(RUN);
  expect(chart.match(/<polyline/g)).toHaveLength(5);
  expect(chart.match(/l8 8m0 -8l-8 8/g)).toHaveLength(1);
  for (const text of [
    "3 hosts get 100 MiB over 80 Mbit/s each",
    "last host 14.0 s, 75 % of the bound; source (80 Mbit/s) read 1.050 times; machine 40 % busy",
    "bound 10.5 s",
    "scheduler killed",
    "hosts that were killed or failed",
  ])
    expect(chart).toContain(text);
});

test("progressChart() keeps all lines inside of the plot", () => {
  const points = [...progressChart(RUN).matchAll(/points="([^"]*)"/g)].flatMap(([, text = ""]) => text.split(" "));
  expect(points.length).toBeGreaterThan(200);
  for (const point of points) {
    const [x = 0, y = 0] = point.split(",").map(Number);
    expect(x).toBeWithin(72, 825);
    expect(y).toBeWithin(92, 453);
  }
});

function mark(ms: number, mib: number) {
  return { ms, bytes: mib * MIB };
}
