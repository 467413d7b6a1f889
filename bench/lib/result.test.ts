import { expect, test } from "bun:test";
import { benchResult, type Circumstances, type Outcome, resultText } from "./result.ts";

const CIRCUMSTANCES: Circumstances = {
  bench: "single",
  command: "bun run bench single --json",
  commit: "0123456789ab",
  date: "2026-11-21T20:00:00.000Z",
  machine: { cpu: "AMD EPYC", cores: 2, memoryBytes: 24 * 2 ** 30, kernel: "6.18.44" },
  busyBefore: 0.2,
  busyAfter: 1.8,
};
const OUTCOME: Outcome = {
  runs: 3,
  figures: [{ name: "small.ms", unit: "ms", better: "lower", samples: [7, 9, 8] }],
  notes: ["all came from the other host"],
};

test("benchResult() is the object of design section 6 and nothing else", () => {
  expect(benchResult(CIRCUMSTANCES, OUTCOME)).toEqual({
    bench: "single",
    command: "bun run bench single --json",
    commit: "0123456789ab",
    date: "2026-11-21T20:00:00.000Z",
    machine: { cpu: "AMD EPYC", cores: 2, memoryBytes: 24 * 2 ** 30, kernel: "6.18.44" },
    runs: 3,
    figures: [{ name: "small.ms", value: 8, unit: "ms", median: 8, worst: 9 }],
  });
});

test("resultText() tells people command, date, commit, machine, how busy it was, figures and notes", () => {
  const text = resultText(CIRCUMSTANCES, OUTCOME);
  for (const part of [
    "bun run bench single --json",
    "2026-11-21T20:00:00.000Z",
    "0123456789ab",
    "2 x AMD EPYC, 24 GiB",
    "load average 0.2 in the minute before, 1.8 in the last minute",
    "small.ms",
    "- all came from the other host",
  ])
    expect(text).toContain(part);
});
