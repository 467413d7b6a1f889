import { describe, expect, test } from "bun:test";
import { nextDeadlineMs } from "./expire.ts";
import { NEVER_MS } from "./swarm.ts";
import { announceOf, aTask, finishOf } from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

const task = aTask(1, 1024);
const nextInMs = (scene: Scene) => nextDeadlineMs(scene.swarm, scene.policy, scene.nowMs) - scene.nowMs;

describe("nextDeadlineMs()", () => {
  test("is never when nobody was ever there", () => {
    const scene = new Scene();
    expect(nextDeadlineMs(scene.swarm, scene.policy, scene.nowMs)).toBe(NEVER_MS);
  });

  test("is when an online host counts as silent, an away one as gone, an offline one as forgotten", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.wait(scene.policy.offlineGraceMs);
    expect(nextInMs(scene)).toBe(scene.policy.hostSilentMs - scene.policy.offlineGraceMs);
    scene.loseChannel(1);
    expect(nextInMs(scene)).toBe(scene.policy.offlineGraceMs);
    scene.wait(scene.policy.offlineGraceMs);
    expect(nextInMs(scene)).toBeGreaterThan(scene.policy.hostForgetMs / 2);
  });

  test("is when a lease expires that shows no progress", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.wait(scene.policy.offlineGraceMs);
    scene.say(1, announceOf(task));
    expect(nextInMs(scene)).toBe(scene.policy.leaseTtlMs);
  });

  test("is when those who wait for a seed need not wait any more", () => {
    const scene = new Scene();
    scene.greet([100], { role: "seed" });
    scene.greet([1]);
    scene.wait(scene.policy.offlineGraceMs);
    scene.say(1, announceOf(task));
    expect(nextInMs(scene)).toBe(scene.policy.seedGraceMs);
  });

  test("is in the future, and no earlier than the bound the swarm keeps", () => {
    const scene = new Scene();
    for (const number of [1, 2, 3]) {
      scene.greet([number]);
      scene.say(number, announceOf(task));
    }
    scene.say(3, finishOf(task, "failed"));
    for (let round = 0; round < 200; round++) {
      const next = nextDeadlineMs(scene.swarm, scene.policy, scene.nowMs);
      expect(next).toBeGreaterThan(scene.nowMs);
      expect(scene.swarm.wakeAtMs).toBeLessThanOrEqual(next);
      scene.wait(997);
    }
  });
});
