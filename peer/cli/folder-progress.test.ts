import { expect, test } from "bun:test";
import type { GetEvent } from "../../schema/wire/local.ts";
import { FolderProgress } from "./folder-progress.ts";
import type { ProgressFigures } from "./progress-meter.ts";
import { progressText } from "./progress-text.ts";

type Progress = Extract<GetEvent, { type: "progress" }>;

const moved = (more: Partial<Progress>): Progress => ({
  type: "progress",
  sourceBytes: 0,
  peerBytes: 0,
  localBytes: 0,
  parentCount: 0,
  stall: null,
  ...more,
});

function scene() {
  const shown: ProgressFigures[] = [];
  const clock = { nowMs: 0 };
  const view = { show: (figures: ProgressFigures) => void shown.push(figures), stop: () => undefined };
  const progress = new FolderProgress({ sizeBytes: 1000, fileCount: 3, view, nowMs: () => clock.nowMs });
  return { progress, clock, last: () => shown.at(-1) };
}

test("the figures of a folder are those of its files together", () => {
  const { progress, clock, last } = scene();
  const [one, two] = [Symbol("one"), Symbol("two")];
  progress.moved(one, moved({ sourceBytes: 100, parentCount: 2 }));
  clock.nowMs = 1000;
  progress.moved(two, moved({ peerBytes: 200, localBytes: 50, parentCount: 1 }));
  expect(last()).toMatchObject({ doneBytes: 350, sourceBytes: 100, peerBytes: 200, localBytes: 50, parentCount: 2 });
  expect(last()).toMatchObject({ bytesPerSecond: 200, remainingMs: 3250, files: { doneCount: 0, fileCount: 3 } });
  progress.ended(one, { sourceBytes: 400, peerBytes: 0, localBytes: 0 });
  expect(last()).toMatchObject({ doneBytes: 650, files: { doneCount: 1, fileCount: 3 } });
  expect(progressText(last() ?? never())).toStartWith("65 %  1 of 3 files  650 B of 0.98 KiB");
  progress.ended(two);
  expect(progress.totals).toEqual({ sourceBytes: 400, peerBytes: 0, localBytes: 0 });
});

test("a folder stalls only when all of its files do", () => {
  const { progress, last } = scene();
  progress.moved(Symbol("one"), moved({ stall: "waiting for the source" }));
  expect(last()?.stall).toBe("waiting for the source");
  progress.moved(Symbol("two"), moved({}));
  expect(last()?.stall).toBeNull();
});

function never(): never {
  throw new Error("Nothing was shown");
}
