import { describe, expect, test } from "bun:test";
import { taskExplanationSchema } from "../../schema/wire/explain.ts";
import { explainTask } from "./explain.ts";
import { announceOf, aTask, hostIdOf, progressOf } from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

const task = aTask(1, 256);

function explained(scene: Scene) {
  return explainTask(scene.swarm, scene.task(task.taskId), scene.policy, scene.nowMs);
}

function standings(scene: Scene): Record<number, string> {
  return Object.fromEntries(explained(scene).readers.map(({ hostId, standing }) => [Number(`0x${hostId}`), standing]));
}

describe("explainTask()", () => {
  test("tells how far each lease is, how fast, and when it ends unless it moves", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task));
    const [{ leaseId, firstPiece, pieceCount } = expect.unreachable()] = scene.task(task.taskId).leases.values();
    scene.wait(500);
    const leases = [{ leaseId, firstPiece, pieceCount, readBytes: 100_000 }];
    scene.say(1, progressOf(task, { leases, sourceBytes: 100_000 }));
    scene.wait(100);
    const { leases: told, streams, source } = explained(scene);
    expect(told).toContainEqual({
      leaseId,
      hostId: hostIdOf(1),
      firstPiece,
      pieceCount,
      readBytes: 100_000,
      bytesPerSecond: 200_000,
      ageMs: 600,
      quietMs: 100,
      leftMs: scene.policy.leaseTtlMs - 100,
      shortening: false,
    });
    expect(streams).toEqual({ used: told.length, allowed: scene.policy.sourceStreamsPerTask });
    expect(source.problem).toBeNull();
    expect(taskExplanationSchema.parse(explained(scene))).toEqual(explained(scene));
  });

  test("names those who read, and those who would when a stream is free", () => {
    const scene = new Scene({ sourceStreamsPerTask: 2 });
    scene.greet([1, 2, 3]);
    for (const host of [1, 2, 3]) scene.say(host, announceOf(task));
    expect(Object.values(standings(scene)).sort()).toEqual(["no-streams-left", "no-streams-left", "reads"]);
  });

  test("names those that wait for seeds, which read first", () => {
    const scene = new Scene();
    scene.greet([9], { role: "seed" });
    scene.greet([1]);
    scene.say(1, announceOf(task));
    expect(explained(scene).readers[0]).toMatchObject({ standing: "awaits-seed", restMs: scene.policy.seedGraceMs });
    scene.say(9, announceOf(task));
    expect(standings(scene)).toEqual({ 1: "seed-first", 9: "reads" });
  });

  test("names those that are passed over, for how long, and what the source said", () => {
    const scene = new Scene();
    scene.greet([1, 2, 3, 4, 5]);
    for (const host of [1, 2, 3, 4, 5]) scene.say(host, announceOf(task));
    const leaseIdsOf = (host: number) => [...scene.peer(task.taskId, host).leases].map(({ leaseId }) => leaseId);
    const problem = { code: "source-forbidden", message: "403" } as const;
    scene.say(1, { type: "return-leases", taskId: task.taskId, leaseIds: leaseIdsOf(1), problem });
    scene.say(2, { type: "return-leases", taskId: task.taskId, leaseIds: leaseIdsOf(2) });
    scene.say(3, { type: "fault", taskId: task.taskId, parentHostId: hostIdOf(4), kind: "corrupt" });
    scene.loseChannel(5);
    expect(standings(scene)).toEqual({ 1: "source-failed", 2: "backs-off", 3: "reads", 4: "banned", 5: "away" });
    const rests = explained(scene).readers.map(({ restMs }) => restMs);
    const { sourceBackoffMs, leaseTtlMs, corruptBanMs, offlineGraceMs } = scene.policy;
    expect(rests).toEqual([sourceBackoffMs, leaseTtlMs, 0, corruptBanMs, offlineGraceMs]);
    expect(explained(scene).source.problem).toEqual(problem);
  });

  test("names those whose leases expired, and those not heard since", () => {
    const scene = new Scene();
    scene.greet([1, 2, 3]);
    for (const host of [1, 2]) scene.say(host, announceOf(task));
    scene.wait(scene.policy.leaseTtlMs - 1);
    scene.say(3, announceOf(task));
    scene.wait(2);
    scene.say(1, progressOf(task));
    expect(standings(scene)).toEqual({ 1: "expired", 2: "frozen", 3: "reads" });
  });

  test("names those for whom others hold, or read, all that is missing", () => {
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.say(1, announceOf(task, { wanting: false, have: Array(256).keys() }));
    scene.say(2, announceOf(task));
    expect(standings(scene)).toEqual({ 2: "all-held" });
  });
});
