import { describe, expect, test } from "bun:test";
import type { LeaseId } from "../../schema/ids.ts";
import { mostLeases } from "./readers.ts";
import { announceOf, aTask, digestRun, finishOf, hostIdOf, progressOf } from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

const task = aTask(1, 1024);
const refusedBySource = { code: "source-forbidden", message: "The source answered 403" } as const;

function aScene(hosts: number): Scene {
  const scene = new Scene();
  for (let number = 1; number <= hosts; number++) {
    scene.greet([number]);
    scene.say(number, announceOf(task));
  }
  return scene;
}

function leasesOf(scene: Scene, number: number) {
  return [...scene.peer(task.taskId, number).leases];
}

function leaseIdsOf(scene: Scene, number: number): LeaseId[] {
  return leasesOf(scene, number).map((lease) => lease.leaseId);
}

function progressOn(scene: Scene, number: number, readBytes: number) {
  return leasesOf(scene, number).map(({ leaseId, firstPiece, pieceCount }) => ({
    leaseId,
    firstPiece,
    pieceCount,
    readBytes,
  }));
}

describe("a lease", () => {
  test("ends after its time to live without progress, and its pieces go to another", () => {
    const scene = aScene(1);
    const leaseIds = leaseIdsOf(scene, 1);
    scene.greet([2]);
    scene.say(2, announceOf(task));
    scene.heard(1);
    for (const lease of leasesOf(scene, 2)) lease.aliveAtMs = Number.MAX_SAFE_INTEGER;
    scene.wait(scene.policy.leaseTtlMs);
    const [news] = scene.told(1, "leases");
    expect(news?.revoked).toEqual(leaseIds);
    expect(news?.granted).toEqual([]);
    // Host 2 reads as much as it may; what it is given next is what expired.
    scene.heard(2);
    const [first] = leasesOf(scene, 2);
    if (first === undefined) throw new Error("Host 2 has no lease");
    const { firstPiece, pieceCount } = first;
    scene.say(2, progressOf(task, { added: [{ firstPiece, pieceCount }] }));
    expect(scene.granted(2)[0]?.[0]).toBe(0);
  });

  test("lives as long as it grows, however slowly", () => {
    const scene = aScene(1);
    const leaseIds = leaseIdsOf(scene, 1);
    for (let readBytes = 1; readBytes <= 5; readBytes++) {
      scene.wait(scene.policy.leaseTtlMs - 1);
      scene.say(1, progressOf(task, { leases: progressOn(scene, 1, readBytes) }));
    }
    expect(leaseIdsOf(scene, 1)).toEqual(leaseIds);
  });

  test("is not kept alive by saying the same again", () => {
    const scene = aScene(1);
    const leaseIds = leaseIdsOf(scene, 1);
    scene.say(1, progressOf(task, { leases: progressOn(scene, 1, 100) }));
    scene.wait(scene.policy.leaseTtlMs - 1);
    scene.say(1, progressOf(task, { leases: progressOn(scene, 1, 100) }));
    scene.wait(1);
    expect(leaseIdsOf(scene, 1).some((leaseId) => leaseIds.includes(leaseId))).toBe(false);
  });

  test("that expired is revoked once more when its host still speaks of it", () => {
    const scene = aScene(1);
    const stale = progressOn(scene, 1, 1);
    scene.wait(scene.policy.leaseTtlMs);
    scene.heard(1);
    scene.say(1, progressOf(task, { leases: stale }));
    expect(scene.told(1, "leases").flatMap((message) => message.revoked)).toEqual(stale.map((lease) => lease.leaseId));
  });

  test("that is done is not revoked when its host speaks of it in the same report", () => {
    const scene = aScene(1);
    const [done] = progressOn(scene, 1, 8);
    if (done === undefined) throw new Error("Nothing was granted");
    scene.heard(1);
    const { firstPiece, pieceCount } = done;
    scene.say(1, progressOf(task, { added: [{ firstPiece, pieceCount }], leases: [done] }));
    expect(scene.told(1, "leases").flatMap((message) => message.revoked)).toEqual([]);
  });

  test("ends when its host loses its channel for longer than the grace, and not before", () => {
    const scene = aScene(1);
    const [lease] = leasesOf(scene, 1);
    scene.loseChannel(1);
    scene.wait(scene.policy.offlineGraceMs - 1);
    expect(leasesOf(scene, 1)[0]).toBe(lease);
    scene.wait(1);
    expect(scene.task(task.taskId).leases.size).toBe(0);
  });

  test("ends when its host fails, leaves or wants the task no more", () => {
    for (const end of [finishOf(task, "failed"), finishOf(task, "left"), announceOf(task, { wanting: false })]) {
      const scene = aScene(1);
      const leaseIds = leaseIdsOf(scene, 1);
      scene.heard(1);
      scene.say(1, end);
      expect(scene.task(task.taskId).leases.size).toBe(0);
      expect(scene.task(task.taskId).pieces.leasableCount).toBe(1024);
      expect(scene.told(1, "leases").flatMap((message) => message.revoked)).toEqual(leaseIds);
    }
  });

  test("that was lost on the way down is granted again when the host comes back without it", () => {
    const scene = aScene(1);
    const leaseIds = leaseIdsOf(scene, 1);
    scene.loseChannel(1);
    scene.greet([1]);
    scene.heard(1);
    scene.say(1, announceOf(task));
    const [news] = scene.told(1, "leases");
    expect(news?.revoked).toEqual(leaseIds);
    expect(news?.granted[0]?.firstPiece).toBe(0);
  });

  test("outlives a reconnect of the host that reads it", () => {
    const scene = aScene(1);
    const leases = progressOn(scene, 1, 4096);
    scene.loseChannel(1);
    scene.greet([1]);
    scene.heard(1);
    scene.say(1, announceOf(task, { leases }));
    expect(scene.told(1, "leases")).toEqual([]);
    expect(leaseIdsOf(scene, 1)).toEqual(leases.map((lease) => lease.leaseId));
    expect(leasesOf(scene, 1)[0]?.readBytes).toBe(4096);
  });

  test("outlives an announcement that renews the ticket and crossed it", () => {
    const scene = aScene(1);
    const leaseIds = leaseIdsOf(scene, 1);
    scene.say(1, announceOf(task));
    expect(leaseIdsOf(scene, 1)).toEqual(leaseIds);
  });
});

test("a lease that expires is granted to the same host when nobody else wants the task", () => {
  const scene = aScene(1);
  scene.heard(1);
  scene.wait(scene.policy.leaseTtlMs);
  expect(scene.granted(1)[0]?.[0]).toBe(0);
});

describe("return-leases", () => {
  test("gives the pieces to others, and the host that failed none for a while", () => {
    const scene = aScene(2);
    const [returned] = leasesOf(scene, 1);
    if (returned === undefined) throw new Error("Nothing was granted");
    scene.heard(2);
    scene.say(1, {
      type: "return-leases",
      taskId: task.taskId,
      leaseIds: leaseIdsOf(scene, 1),
      problem: refusedBySource,
    });
    expect(leasesOf(scene, 1)).toEqual([]);
    for (const lease of leasesOf(scene, 2)) lease.aliveAtMs = Number.MAX_SAFE_INTEGER;
    scene.wait(scene.policy.sourceBackoffMs - 1);
    expect(leasesOf(scene, 1)).toEqual([]);
    scene.wait(1);
    expect(leasesOf(scene, 1).length).toBeGreaterThan(0);
  });

  test("without a problem gives the pieces to others at once", () => {
    const scene = aScene(1);
    scene.greet([2]);
    scene.say(1, { type: "return-leases", taskId: task.taskId, leaseIds: leaseIdsOf(scene, 1) });
    scene.say(2, announceOf(task));
    expect(scene.granted(2)[0]?.[0]).toBe(0);
    expect(leasesOf(scene, 1)).toEqual([]);
  });

  test("tells everybody why, when the source failed every peer that wants the task", () => {
    const scene = aScene(2);
    for (const number of [1, 2]) {
      expect(scene.told(number, "refused")).toEqual([]);
      const leaseIds = leaseIdsOf(scene, number);
      scene.say(number, { type: "return-leases", taskId: task.taskId, leaseIds, problem: refusedBySource });
    }
    for (const number of [1, 2]) {
      expect(scene.told(number, "refused")).toEqual([{ type: "refused", taskId: task.taskId, ...refusedBySource }]);
    }
  });

  test("tells nobody while a lease is still being read", () => {
    const scene = aScene(1);
    const [first] = leaseIdsOf(scene, 1);
    if (first === undefined) throw new Error("Nothing was granted");
    scene.say(1, { type: "return-leases", taskId: task.taskId, leaseIds: [first], problem: refusedBySource });
    expect(scene.told(1, "refused")).toEqual([]);
  });

  test("tells nobody while the missing pieces can be had from a holder", () => {
    const scene = aScene(1);
    scene.greet([2]);
    scene.say(2, announceOf(task, { wanting: false, have: Array(1024).keys() }));
    scene.say(1, {
      type: "return-leases",
      taskId: task.taskId,
      leaseIds: leaseIdsOf(scene, 1),
      problem: refusedBySource,
    });
    expect(scene.told(1, "refused")).toEqual([]);
  });

  test("does not count against a host that begins anew", () => {
    const scene = aScene(1);
    scene.say(1, {
      type: "return-leases",
      taskId: task.taskId,
      leaseIds: leaseIdsOf(scene, 1),
      problem: refusedBySource,
    });
    scene.say(1, finishOf(task, "failed", { problem: refusedBySource }));
    scene.heard(1);
    scene.say(1, announceOf(task));
    expect(scene.granted(1).length).toBe(4);
    expect(scene.told(1, "refused")).toEqual([]);
  });
});

describe("a lease of an earlier memory", () => {
  const stated = (firstPiece: number, pieceCount: number, leaseId = "before-1") => ({
    leaseId: leaseId as LeaseId,
    firstPiece,
    pieceCount,
    readBytes: 77,
  });

  test("is taken over by the host that reads it", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task, { have: [0, 1], leases: [stated(0, 8)] }));
    const [lease] = leasesOf(scene, 1);
    expect(lease).toMatchObject({ leaseId: "before-1", openCount: 6, readBytes: 77 });
    expect(scene.granted(1)[0]?.[0]).toBe(8);
  });

  test("is revoked when another host was granted its pieces meanwhile", () => {
    const scene = aScene(1);
    scene.greet([2]);
    scene.heard(2);
    scene.say(2, announceOf(task, { leases: [stated(4, 8)] }));
    expect(scene.told(2, "leases")[0]?.revoked).toEqual(["before-1" as LeaseId]);
  });

  test("is revoked when another host holds its pieces", () => {
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.say(1, announceOf(task, { wanting: false, have: [4] }));
    scene.say(2, announceOf(task, { leases: [stated(4, 1)] }));
    expect(scene.told(2, "leases")[0]?.revoked).toEqual(["before-1" as LeaseId]);
  });

  test("is revoked when it is of a piece the task does not have, or one too many", () => {
    const scene = new Scene();
    scene.greet([1]);
    const most = mostLeases(scene.policy);
    const mine = Array.from({ length: most + 1 }, (_, at) => stated(at * 8, 8, `mine-${at}`));
    scene.say(1, announceOf(task, { leases: [stated(1020, 8, "beyond"), ...mine] }));
    expect(leaseIdsOf(scene, 1)).toEqual(mine.slice(0, most).map((lease) => lease.leaseId));
    expect(scene.told(1, "leases")[0]?.revoked).toEqual(["beyond", `mine-${most}`] as LeaseId[]);
  });

  test("has an id that no new lease gets", () => {
    const scene = aScene(1);
    const taken = leaseIdsOf(scene, 1);
    scene.say(1, { type: "bye" });
    scene.greet([2]);
    const next = `${scene.task(task.taskId).leasePrefix}-${(taken.length + 2).toString(36)}`;
    scene.say(2, announceOf(task, { leases: [stated(0, 8, next)] }));
    expect(new Set(leaseIdsOf(scene, 2)).size).toBe(4);
    expect(leasesOf(scene, 2)[0]?.peer.host.info.hostId).toBe(hostIdOf(2));
  });
});

test("what a lease holder read dies with it, as long as nobody else has it", () => {
  const scene = aScene(2);
  scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 3 }], digests: digestRun([0, 1, 2]) }));
  scene.say(2, progressOf(task, { added: [{ firstPiece: 1, pieceCount: 1 }] }));
  scene.say(1, { type: "bye" });
  const { pieces } = scene.task(task.taskId);
  expect([0, 1, 2, 3].map((piece) => pieces.isLeasable(piece))).toEqual([true, false, true, true]);
});

test("a banned host that is alone with a task nobody has is told so, and others are not", () => {
  const scene = aScene(2);
  scene.say(2, { type: "fault", taskId: task.taskId, parentHostId: hostIdOf(1), kind: "corrupt" });
  expect(scene.told(1, "refused")).toEqual([]);
  scene.say(2, { type: "bye" });
  expect(scene.told(1, "refused").map((message) => message.code)).toEqual(["forbidden"]);
});
