import { expect, test } from "bun:test";
import type { GetEvent } from "../../schema/wire/local.ts";
import { ProgressMeter } from "./progress-meter.ts";
import { originsText, progressText } from "./progress-text.ts";
import { lineProgress } from "./progress-view.ts";

const MIB = 1024 ** 2;
type Progress = Extract<GetEvent, { type: "progress" }>;
const progress = (fields: Partial<Progress>): Progress => ({
  type: "progress",
  sourceBytes: 0,
  peerBytes: 0,
  localBytes: 0,
  parentCount: 0,
  stall: null,
  ...fields,
});

test("ProgressMeter tells speed and time left from the last seconds, not from what was here before", () => {
  const meter = new ProgressMeter(100 * MIB);
  expect(meter.add(progress({ localBytes: 20 * MIB }), 0).bytesPerSecond).toBeUndefined();
  expect(meter.add(progress({ localBytes: 20 * MIB, peerBytes: 40 * MIB }), 4000)).toMatchObject({
    doneBytes: 60 * MIB,
    bytesPerSecond: 10 * MIB,
    remainingMs: 4000,
  });
});

test("ProgressMeter shows a stall once the window has passed", () => {
  const meter = new ProgressMeter(100 * MIB);
  for (let atMs = 0; atMs <= 10_000; atMs += 1000) meter.add(progress({ peerBytes: 40 * MIB }), atMs);
  const stalled = meter.add(progress({ peerBytes: 40 * MIB, stall: "no parent has what is missing" }), 11_000);
  expect(stalled.bytesPerSecond).toBe(0);
  expect(stalled.remainingMs).toBeUndefined();
  expect(progressText(stalled)).toBe(
    "40 %  40 MiB of 100 MiB  0 B/s  peers 40 MiB  stalled: no parent has what is missing",
  );
});

test("progressText() is one line of percent, bytes, speed, time left and origins", () => {
  const meter = new ProgressMeter(256 * MIB);
  meter.add(progress({}), 0);
  const event = progress({ sourceBytes: 100 * MIB, peerBytes: 60 * MIB, parentCount: 3 });
  expect(progressText(meter.add(event, 4000))).toBe(
    "62 %  160 MiB of 256 MiB  40 MiB/s  2.4 s left  source 100 MiB, peers 60 MiB (3 parents)",
  );
});

test("originsText() leaves out what gave nothing", () => {
  expect(originsText({ sourceBytes: 0, peerBytes: 0, localBytes: 5 })).toBe("local 5 B");
  expect(originsText({ sourceBytes: 0, peerBytes: 0, localBytes: 0, parentCount: 1 })).toBe("peers 0 B (1 parent)");
});

test("lineProgress() writes a line every five seconds at most", () => {
  const lines: string[] = [];
  let now = 0;
  const view = lineProgress(
    (text) => lines.push(text),
    () => now,
  );
  const meter = new ProgressMeter(10);
  for (now = 0; now <= 12_000; now += 200) view.show(meter.add(progress({ peerBytes: 1 }), now));
  expect(lines).toHaveLength(2);
});
