import { describe, expect, test } from "bun:test";
import type { TaskId } from "../../schema/ids.ts";
import { RateLimit } from "./rate-limit.ts";

const UNLIMITED = Number.POSITIVE_INFINITY;
const KIB = 1024;
const { signal } = new AbortController();
const [one, other] = ["a", "b"].map((digit) => digit.repeat(64) as TaskId) as [TaskId, TaskId];

/** Names of those that may go without time passing. */
async function goingOf(takes: Record<string, Promise<void>>): Promise<string> {
  const gone: string[] = [];
  for (const [name, take] of Object.entries(takes)) void take.then(() => gone.push(name));
  for (let turns = 0; turns < 10; turns++) await Promise.resolve();
  return gone.join(" ");
}

describe("RateLimit", () => {
  test("holds nobody up without a limit", async () => {
    const limit = new RateLimit({ hostBps: UNLIMITED, taskBps: UNLIMITED }, () => 0);
    expect(limit.limited).toBe(false);
    expect(await goingOf({ a: limit.take(one, 1e12, signal), b: limit.take(one, 1e12, signal) })).toBe("a b");
  });

  test("bounds all tasks together", async () => {
    const limit = new RateLimit({ hostBps: 1000, taskBps: UNLIMITED }, () => 0);
    expect(limit.limited).toBe(true);
    expect(await goingOf({ a: limit.take(one, 250, signal), b: limit.take(other, 1, signal) })).toBe("a");
  });

  test("bounds each task, and one that waits for its own limit keeps no other waiting", async () => {
    const limit = new RateLimit({ hostBps: 1000, taskBps: 200 }, () => 0);
    const takes = {
      a: limit.take(one, 50, signal),
      waits: limit.take(one, 50, signal),
      b: limit.take(other, 50, signal),
    };
    expect(await goingOf(takes)).toBe("a b");
  });

  test("does not forget what a task owes while others come", async () => {
    const limit = new RateLimit({ hostBps: UNLIMITED, taskBps: 1000 }, () => 0);
    await limit.take(one, 250, signal);
    await limit.take(other, 1, signal);
    expect(await goingOf({ a: limit.take(one, 100, signal) })).toBe("");
  });

  test("takes new rates at once", async () => {
    const limit = new RateLimit({ hostBps: UNLIMITED, taskBps: 1000 }, () => 0);
    await limit.take(one, 250, signal);
    const waiting = limit.take(one, 250, signal);
    limit.set({ hostBps: 1000, taskBps: UNLIMITED });
    expect(await goingOf({ waiting })).toBe("waiting");
    const next = limit.take(one, 1, signal);
    expect(await goingOf({ next })).toBe("");
    limit.set({ hostBps: UNLIMITED, taskBps: UNLIMITED });
    expect(limit.limited).toBe(false);
    expect(await goingOf({ next })).toBe("next");
  });

  test("says how many streams can share it and keep moving", () => {
    const streamsOf = (hostBps: number, taskBps: number) => new RateLimit({ hostBps, taskBps }, () => 0).streams;
    expect(streamsOf(1024 * KIB, 32 * KIB)).toEqual({ host: 16, task: 1 });
    expect(streamsOf(UNLIMITED, UNLIMITED)).toEqual({ host: UNLIMITED, task: UNLIMITED });
  });

  test("cuts into grains that let many streams move within a second, neither tiny nor huge", () => {
    const grainOf = (hostBps: number, taskBps = UNLIMITED) => new RateLimit({ hostBps, taskBps }, () => 0).grainBytes;
    expect(grainOf(8 * KIB * KIB)).toBe(64 * KIB);
    expect(grainOf(8 * KIB * KIB, KIB * KIB)).toBe(8 * KIB);
    expect(grainOf(64 * KIB)).toBe(4 * KIB);
    expect(grainOf(UNLIMITED)).toBe(256 * KIB);
  });
});
