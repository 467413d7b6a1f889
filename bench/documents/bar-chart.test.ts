import { expect, test } from "bun:test";
import { barChart } from "./bar-chart.ts";
import { figuresOf } from "./bars.ts";

const BARS = {
  sizeBytes: 0.5e9,
  direct: [5, 5.2, 4.8],
  cold: [5.5, 5.4, 5.6],
  remote: [1, 1.25, 2],
  local: [0.2, 0.25, 0.5],
};

test("figuresOf() compares each run with the direct one beside it", () => {
  const [cold, remote, local] = figuresOf(BARS, { prefix: "documents", direct: "curl from the store" });
  expect(cold).toMatchObject({ name: "documents.cold.vs_direct", sizeBytes: 0.5e9, better: "lower" });
  expect(cold?.samples[0]).toBeCloseTo(1.1);
  expect(remote?.samples).toEqual([5, 5.2 / 1.25, 2.4]);
  expect(local?.samples).toEqual([25, 5.2 / 0.25, 9.6]);
});

test("barChart() draws four bars a size, as long as their times, with times and ratios beside them", () => {
  const chart = barChart([BARS, { ...BARS, sizeBytes: 2e9 }], { subtitle: "store < 92 MB/s" });
  const widths = [...chart.matchAll(/height="26"/g)];
  expect(widths).toHaveLength(8);
  const bars = [...chart.matchAll(/<rect x="\d+" y="\d+" width="([\d.]+)" height="26"/g)].map((match) =>
    Number(match[1]),
  );
  expect((bars[1] ?? 0) / (bars[0] ?? 1)).toBeCloseTo(1.1, 2);
  expect((bars[2] ?? 0) / (bars[0] ?? 1)).toBeCloseTo(0.25, 2);
  for (const text of ["0.5 GB", "2 GB", "5.00 s", "+10.0 %", "4.0x as fast", "20.0x as fast", "store &lt; 92 MB/s"])
    expect(chart).toContain(text);
});

test("barChart() is a well-formed document", async () => {
  const chart = barChart([BARS], { subtitle: "a & b" });
  const opened: string[] = [];
  for (const [, close, name = "", self] of chart.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (close === "/") expect(opened.pop()).toBe(name);
    else if (self !== "/") opened.push(name);
  }
  expect(opened).toEqual([]);
});
