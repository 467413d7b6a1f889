import { expect, test } from "bun:test";
import type { TaskId } from "../../schema/ids.ts";
import { DEFAULT_TRANSFER_POLICY } from "../core/policy.ts";
import { ProgressWatch } from "./progress-watch.ts";

const others = {
  taskId: "b".repeat(64) as TaskId,
  log: () => {},
  awaited: () => "",
  probe: () => {},
  giveUpOwing: () => {},
};

test("a silence is time to probe once it is a second long, and then whenever it is twice as long as the last time", () => {
  let nowMs = 0;
  const policy = DEFAULT_TRANSFER_POLICY;
  let seen: number[] = [];
  const probe = () => void seen.push(nowMs);
  const watch = new ProgressWatch({ ...others, policy, nowMs: () => nowMs, schedulerHears: () => true, probe });
  const probesUntil = (endMs: number) => {
    seen = [];
    for (; nowMs <= endMs; nowMs += 250) watch.tick();
    return seen;
  };
  expect(probesUntil(10_000)).toEqual([1000, 2000, 4000, 8000]);
  watch.moved();
  const movedAtMs = nowMs;
  expect(probesUntil(movedAtMs + 3000)).toEqual([movedAtMs + 1000, movedAtMs + 2000]);
});

test("a scheduler that was back in between is given its time anew before a download is hopeless", () => {
  let nowMs = 0;
  let hears = false;
  const policy = DEFAULT_TRANSFER_POLICY;
  const watch = new ProgressWatch({ ...others, policy, nowMs: () => nowMs, schedulerHears: () => hears });
  expect(watch.awaySinceMs()).toBe(0);
  nowMs = policy.schedulerWaitMs;
  expect([watch.awaySinceMs(), watch.isHopeless()]).toEqual([0, false]);
  hears = true;
  expect(watch.awaySinceMs()).toBeUndefined();
  hears = false;
  nowMs += policy.schedulerWaitMs;
  expect([watch.awaySinceMs(), watch.isHopeless()]).toEqual([nowMs, false]);
  nowMs += policy.schedulerWaitMs + 1;
  expect(watch.isHopeless()).toBe(true);
});
