import { expect, test } from "bun:test";
import { busyShare, parseCpuTimes } from "./busy.ts";

test("parseCpuTimes() counts everything but idle and waiting for the disk as busy, and guests once", () => {
  const text = "cpu  100 10 50 800 20 1 2 17 99 5\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
  expect(parseCpuTimes(text)).toEqual({ busyTicks: 180, allTicks: 1000 });
});

test("busyShare() is the share between two moments", () => {
  expect(busyShare({ busyTicks: 100, allTicks: 1000 }, { busyTicks: 250, allTicks: 1200 })).toBe(0.75);
});
