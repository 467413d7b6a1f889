import { describe, expect, test } from "bun:test";
import type { LeaseId } from "../../schema/ids.ts";
import type { PeerMessageOf } from "../../schema/wire/peer-message.ts";
import type { TallyName } from "../../schema/wire/tallies.ts";
import { aHost, announceOf, aTask, digestRun, hostIdOf, progressOf } from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

const task = aTask(1, 64);

/** What was counted, but for what is 0. */
function counted(scene: Scene, name: TallyName): Record<string, number> {
  return Object.fromEntries(Object.entries(scene.swarm.tallies[name]).filter(([, count]) => count > 0));
}

function aScene(hosts: readonly number[]): Scene {
  const scene = new Scene();
  scene.greet(hosts);
  for (const host of hosts) scene.say(host, announceOf(task));
  return scene;
}

function returned(scene: Scene, host: number, problem?: PeerMessageOf<"return-leases">["problem"]) {
  const leaseIds = [...scene.peer(task.taskId, host).leases].map(({ leaseId }) => leaseId);
  const message: PeerMessageOf<"return-leases"> = { type: "return-leases", taskId: task.taskId, leaseIds };
  scene.say(host, problem === undefined ? message : { ...message, problem });
  return leaseIds.length;
}

describe("the scheduler counts", () => {
  test("leases that end early, by how", () => {
    const scene = aScene([1, 2, 3]);
    const given = returned(scene, 1);
    const failed = returned(scene, 2, { code: "source-forbidden", message: "403" });
    const revoked = scene.peer(task.taskId, 3).leases.size;
    scene.say(3, { type: "bye" });
    expect(counted(scene, "leasesEnded")).toEqual({ returned: given, "source-failed": failed, revoked });
  });

  test("leases that showed no progress in time", () => {
    const scene = aScene([1]);
    const leases = scene.peer(task.taskId, 1).leases.size;
    scene.wait(scene.policy.leaseTtlMs);
    expect(counted(scene, "leasesEnded")).toEqual({ expired: leases });
  });

  test("leases that hosts state and do not have", () => {
    const scene = aScene([1]);
    const stated = { leaseId: "other-1" as LeaseId, firstPiece: 0, pieceCount: 1, readBytes: 0 };
    scene.say(1, progressOf(task, { leases: [stated] }));
    scene.say(1, announceOf(task, { leases: [stated] }));
    expect(counted(scene, "leasesRefused")).toEqual({ unknown: 1, "not-adopted": 1 });
  });

  test("tasks that hosts may not take part in, and hosts that cannot have theirs", () => {
    const scene = aScene([1, 2]);
    scene.greet([3]);
    scene.say(3, announceOf({ ...task, sizeBytes: 1 }));
    expect(counted(scene, "announcementsRefused")).toEqual({ "task-mismatch": 1 });
    for (const host of [1, 2]) returned(scene, host, { code: "source-forbidden", message: "403" });
    expect(counted(scene, "readersRefused")).toEqual({ "source-failed": 2 });
    scene.say(1, announceOf(task, { have: [0] }));
    scene.say(2, announceOf(task, { have: [0] }));
    scene.say(1, progressOf(task, { digests: digestRun([0]) }));
    scene.say(2, progressOf(task, { digests: digestRun([0], 1) }));
    expect(counted(scene, "readersRefused")).toEqual({ "source-failed": 2, "source-changed": 1 });
  });

  test("messages it could make nothing of, and what hosts say of their parents", () => {
    const scene = new Scene({ maxHosts: 2 });
    scene.greet([1, 2]);
    scene.say(1, progressOf(task));
    scene.say(3, { type: "hello", host: aHost(3) });
    expect(counted(scene, "messagesRefused")).toEqual({ unknown: 1, "too-many-requests": 1 });
    for (const host of [1, 2]) scene.say(host, announceOf(task));
    scene.say(1, { type: "fault", taskId: task.taskId, parentHostId: hostIdOf(2), kind: "slow" });
    expect(counted(scene, "faultsReported")).toEqual({ slow: 1 });
  });
});
