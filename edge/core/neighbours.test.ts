import { describe, expect, test } from "bun:test";
import type { HostId } from "../../schema/ids.ts";
import { isComplete, type Peer } from "./peer.ts";
import {
  aHost,
  allPieces,
  announceOf,
  aTask,
  digestRun,
  finishOf,
  hostIdOf,
  IDLE_LOAD,
  progressOf,
} from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

const task = aTask(1, 64);
const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

function join(scene: Scene, numbers: readonly number[], overrides: Parameters<typeof aHost>[1] = {}): void {
  for (const number of numbers) {
    scene.greet([number], overrides);
    scene.say(number, announceOf(task));
  }
}

function neighboursOf(scene: Scene, number: number): HostId[] {
  return [...scene.peer(task.taskId, number).neighbours].map((peer) => peer.host.info.hostId);
}

/** Hosts that were named to a host and not taken back. */
function known(scene: Scene, number: number, before: ReadonlySet<HostId> = new Set()): Set<HostId> {
  const named = new Set(before);
  for (const message of scene.told(number, "neighbours")) {
    for (const hostId of message.remove) named.delete(hostId);
    for (const neighbour of message.add) named.add(neighbour.hostId);
  }
  return named;
}

function reachable(start: Peer): Set<Peer> {
  const reached = new Set([start]);
  for (const peer of reached) for (const other of peer.neighbours) reached.add(other);
  return reached;
}

describe("neighbours", () => {
  test("are told of each other, both of them", () => {
    const scene = new Scene();
    join(scene, [1, 2, 3]);
    expect(known(scene, 1)).toEqual(new Set([hostIdOf(2), hostIdOf(3)]));
    expect(known(scene, 2)).toEqual(new Set([hostIdOf(1), hostIdOf(3)]));
    expect(known(scene, 3)).toEqual(new Set([hostIdOf(1), hostIdOf(2)]));
  });

  test("are named with their address, role and site", () => {
    const scene = new Scene();
    join(scene, [1], { idc: "hz9", role: "seed" });
    join(scene, [2]);
    const [named] = scene.told(2, "neighbours").flatMap((message) => message.add);
    const { hostId, address, role, idc } = aHost(1, { idc: "hz9", role: "seed" });
    expect(named).toEqual({ hostId, address, role, idc, needsPull: false });
  });

  test("are nobody's when both want nothing", () => {
    const scene = new Scene();
    scene.greet([1, 2]);
    for (const number of [1, 2]) scene.say(number, announceOf(task, { wanting: false, have: allPieces(task) }));
    expect(neighboursOf(scene, 1)).toEqual([]);
  });

  test("are also those who failed, with the pieces they have", () => {
    const scene = new Scene();
    join(scene, [1]);
    scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 2 }] }));
    scene.say(1, finishOf(task, "failed"));
    join(scene, [2]);
    expect(known(scene, 2)).toEqual(new Set([hostIdOf(1)]));
    expect(scene.granted(2)[0]?.[0]).not.toBe(0);
    expect(scene.task(task.taskId).pieces.holdersOf(0)).toBe(1);
  });

  test("of a holder that comes are those who want what it has", () => {
    const scene = new Scene();
    join(scene, [1, 2]);
    scene.greet([3]);
    scene.say(3, announceOf(task, { wanting: false, have: allPieces(task) }));
    expect(new Set(neighboursOf(scene, 3))).toEqual(new Set([hostIdOf(1), hostIdOf(2)]));
  });

  test("are never more than maxNeighbours, and everybody in a big herd has nearly as many", () => {
    const scene = new Scene();
    join(scene, upTo(120));
    const counts = upTo(120).map((number) => neighboursOf(scene, number).length);
    expect(Math.max(...counts)).toBe(scene.policy.maxNeighbours);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(scene.policy.maxNeighbours - 2);
  });

  test("make one mesh that reaches everybody in a few hops, also across sites", () => {
    const scene = new Scene();
    for (const number of upTo(120)) join(scene, [number], { idc: `site-${number % 3}` });
    const peers = [...scene.task(task.taskId).peers.values()];
    const [start] = peers;
    if (start === undefined) throw new Error("Nobody joined");
    expect(reachable(start).size).toBe(120);
    for (const site of ["site-0", "site-1", "site-2"]) {
      const local = peers.filter((peer) => peer.idc === site);
      const outward = local.filter((peer) => [...peer.neighbours].some((other) => other.idc !== site));
      expect(outward.length).toBeGreaterThan(local.length / 2);
    }
  });

  test("are mostly of the own site", () => {
    const scene = new Scene();
    join(scene, upTo(40), { idc: "near" });
    join(
      scene,
      upTo(40).map((number) => number + 40),
      { idc: "far" },
    );
    join(scene, [99], { idc: "near" });
    const sites = [...scene.peer(task.taskId, 99).neighbours].map((peer) => peer.idc);
    expect(sites.filter((idc) => idc === "near").length).toBeGreaterThanOrEqual(sites.length / 2);
    expect(sites).toContain("far");
  });

  test("that leave are made up for, and both ends hear of it", () => {
    const scene = new Scene({ maxNeighbours: 3 });
    join(scene, upTo(12));
    const before = upTo(12).map((number) => known(scene, number));
    const [gone] = neighboursOf(scene, 1);
    const number = upTo(12).find((other) => hostIdOf(other) === gone) ?? 0;
    scene.say(number, { type: "bye" });
    for (const other of upTo(12)) {
      if (other === number) continue;
      const now = known(scene, other, before[other - 1]);
      expect(now).toEqual(new Set(neighboursOf(scene, other)));
      expect(now.has(hostIdOf(number))).toBe(false);
    }
    expect(neighboursOf(scene, 1).length).toBeGreaterThanOrEqual(2);
  });

  test("are told once more to a host that announces again", () => {
    const scene = new Scene();
    join(scene, [1, 2]);
    scene.heard(1);
    scene.say(1, announceOf(task));
    expect(known(scene, 1)).toEqual(new Set([hostIdOf(2)]));
  });

  test("of a host that restarted elsewhere get its new address", () => {
    const scene = new Scene();
    join(scene, [1, 2]);
    scene.heard(2);
    scene.greet([1], { startedAtMs: 2_000, address: "http://10.9.9.9:65002" });
    scene.say(1, announceOf(task));
    const add = scene.told(2, "neighbours").flatMap((message) => message.add);
    expect(add.at(-1)?.address).toBe("http://10.9.9.9:65002");
  });

  test("make room for a running peer by dropping links between two that want nothing", () => {
    const scene = new Scene({ maxNeighbours: 2 });
    join(scene, [1, 2, 3]);
    for (const number of [1, 2, 3]) {
      scene.say(number, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 64 }] }));
      scene.say(number, finishOf(task, "succeeded"));
    }
    expect(upTo(3).every((number) => isComplete(scene.peer(task.taskId, number)))).toBe(true);
    join(scene, [4, 5, 6]);
    // Where two is the most chance may leave one of them with one.
    for (const number of [4, 5, 6]) expect(neighboursOf(scene, number).length).toBeGreaterThan(0);
  });
});

describe("a fault", () => {
  const fault = (parent: number, kind: "corrupt" | "unreachable") =>
    ({ type: "fault", taskId: task.taskId, parentHostId: hostIdOf(parent), kind }) as const;

  test("parts the two for a while, and nobody else", () => {
    const scene = new Scene();
    join(scene, [1, 2, 3]);
    scene.heard(2);
    scene.say(1, fault(2, "unreachable"));
    expect(neighboursOf(scene, 1)).toEqual([hostIdOf(3)]);
    expect(neighboursOf(scene, 2)).toEqual([hostIdOf(3)]);
    expect(scene.told(2, "neighbours").flatMap((message) => message.remove)).toEqual([hostIdOf(1)]);
    scene.say(1, announceOf(task));
    expect(neighboursOf(scene, 1)).toEqual([hostIdOf(3)]);
  });

  test("is forgotten when it is the only way to get on", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task, { wanting: false, have: allPieces(task) }));
    scene.say(1, progressOf(task, { digests: digestRun(allPieces(task)) }));
    join(scene, [2]);
    scene.say(2, fault(1, "unreachable"));
    scene.wait(scene.policy.avoidMs - 1);
    expect(neighboursOf(scene, 2)).toEqual([]);
    scene.wait(scene.policy.stallMs + 1);
    expect(neighboursOf(scene, 2)).toEqual([hostIdOf(1)]);
  });

  test("of bytes bans the host everywhere: nobody is sent to it, and its pieces do not count", () => {
    const scene = new Scene();
    join(scene, [1, 2, 3]);
    scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 8 }] }));
    for (const number of [2, 3]) scene.heard(number);
    scene.say(2, fault(1, "corrupt"));
    for (const number of [2, 3]) {
      const heard = scene.heard(number);
      expect(heard).toContainEqual({ type: "ban", hostId: hostIdOf(1) });
    }
    expect(scene.task(task.taskId).pieces.holdersOf(0)).toBe(0);
    join(scene, [4]);
    expect(known(scene, 4)).toEqual(new Set([hostIdOf(2), hostIdOf(3)]));
    expect(scene.peer(task.taskId, 1).leases.size).toBe(0);
  });

  test("of bytes leaves the banned host its download: it is told of others, and they not of it", () => {
    const scene = new Scene();
    join(scene, [1, 2, 3]);
    scene.say(2, fault(1, "corrupt"));
    scene.heard(3);
    scene.heard(1);
    scene.say(1, announceOf(task));
    expect(known(scene, 1)).toEqual(new Set([hostIdOf(3)]));
    expect(scene.told(3, "neighbours").flatMap((message) => message.add)).toEqual([]);
  });

  test("of bytes is over after a while: what the host holds counts again, and others are told of it", () => {
    const scene = new Scene();
    join(scene, [1, 2]);
    scene.say(1, progressOf(task, { added: [{ firstPiece: 3, pieceCount: 1 }], digests: digestRun([3]) }));
    scene.say(2, fault(1, "corrupt"));
    expect(scene.task(task.taskId).pieces.holdersOf(3)).toBe(0);
    for (let passed = 0; passed < scene.policy.corruptBanMs; passed += 60_000) {
      for (const number of [1, 2]) scene.say(number, { type: "heartbeat", load: IDLE_LOAD });
      scene.heard(2);
      scene.wait(60_000);
    }
    expect(known(scene, 2)).toEqual(new Set([hostIdOf(1)]));
    expect(scene.task(task.taskId).pieces.holdersOf(3)).toBe(1);
  });

  test("against a host that is no neighbour bans nobody", () => {
    const scene = new Scene();
    scene.greet([1, 2]);
    for (const number of [1, 2]) scene.say(number, announceOf(task, { wanting: false, have: [0] }));
    scene.say(2, fault(1, "corrupt"));
    scene.say(2, fault(77, "corrupt"));
    expect(scene.told(2, "ban")).toEqual([]);
    expect(scene.task(task.taskId).pieces.holdersOf(0)).toBe(2);
  });
});

describe("a stalled peer", () => {
  test("is given a neighbour that has what it lacks", () => {
    const scene = new Scene({ maxNeighbours: 2 });
    join(scene, upTo(9));
    scene.greet([10]);
    scene.say(10, announceOf(task, { wanting: false, have: [63] }));
    const far = upTo(9).filter((number) => !neighboursOf(scene, number).includes(hostIdOf(10)));
    expect(far.length).toBeGreaterThan(0);
    for (let round = 0; round < 40; round++) {
      for (const number of upTo(10)) scene.say(number, { type: "heartbeat", load: IDLE_LOAD });
      for (const number of upTo(9)) {
        if (neighboursOf(scene, number).includes(hostIdOf(10)))
          scene.say(number, progressOf(task, { added: [{ firstPiece: 63, pieceCount: 1 }] }));
      }
      scene.wait(scene.policy.stallMs);
    }
    const lacking = upTo(9).filter((number) => scene.peer(task.taskId, number).heldCount === 0);
    const helped = lacking.every((number) =>
      [...scene.peer(task.taskId, number).neighbours].some((peer) => peer.heldCount > 0),
    );
    expect(helped).toBe(true);
  });

  test("is none as long as it said that it moves without a word, and at once when it says that this is over", () => {
    const scene = new Scene({ maxNeighbours: 2 });
    const [quietMs, { stallMs }] = [10_000, scene.policy];
    join(scene, upTo(9));
    const helpedAtMs = () => scene.peer(task.taskId, 1).helpedAtMs;
    const added = [{ firstPiece: 0, pieceCount: 1 }];
    scene.say(1, progressOf(task, { added, quietMs }));
    const before = helpedAtMs();
    scene.wait(quietMs + stallMs - 1);
    expect(helpedAtMs()).toBe(before);
    scene.say(1, progressOf(task));
    scene.wait(1);
    expect(helpedAtMs()).toBeGreaterThan(before);
  });
});

describe("seeds", () => {
  test("are named to a child with the wish to be told where the source is", () => {
    const scene = new Scene();
    scene.greet([100], { role: "seed" });
    join(scene, [1]);
    const [seed] = scene.told(1, "neighbours").flatMap((message) => message.add);
    expect(seed).toMatchObject({ hostId: hostIdOf(100), role: "seed", needsPull: true });
  });

  test("that opened the task are neighbours like others, and those who called them trade with them", () => {
    const scene = new Scene();
    scene.greet([100], { role: "seed" });
    join(scene, [1, 2]);
    scene.heard(1);
    scene.say(100, announceOf(task));
    const [named] = scene.told(1, "neighbours").flatMap((message) => message.add);
    expect(named).toMatchObject({ hostId: hostIdOf(100), needsPull: false });
    join(scene, [3]);
    const seen = scene.told(3, "neighbours").flatMap((message) => message.add);
    expect(seen.find((neighbour) => neighbour.hostId === hostIdOf(100))?.needsPull).toBe(false);
  });

  test("are called by a few children, not by the whole herd", () => {
    const scene = new Scene();
    scene.greet([100], { role: "seed" });
    join(scene, upTo(30));
    const callers = upTo(30).filter((number) =>
      scene.told(number, "neighbours").some((message) => message.add.some((neighbour) => neighbour.needsPull)),
    );
    expect(callers.length).toBe(scene.policy.pullersPerSeed);
  });

  test("of a cluster share its tasks: every task has two of them", () => {
    const scene = new Scene();
    scene.greet([101, 102, 103, 104, 105], { role: "seed" });
    scene.greet([1]);
    const called = new Map<HostId, number>();
    for (const number of upTo(100)) {
      scene.heard(1);
      // Ids are hashes, so that they differ in many digits.
      const taskId = (number * 2_654_435_761).toString(16).padStart(16, "0").repeat(4) as typeof task.taskId;
      scene.say(1, announceOf({ ...task, taskId }));
      const named = scene.told(1, "neighbours").flatMap((message) => message.add);
      expect(named.length).toBe(2);
      for (const { hostId } of named) called.set(hostId, (called.get(hostId) ?? 0) + 1);
    }
    // 40 of the 100 tasks expected each.
    expect(Math.min(...called.values())).toBeGreaterThan(20);
    expect(called.size).toBe(5);
  });

  test("that go before they came are taken back", () => {
    const scene = new Scene();
    scene.greet([100], { role: "seed" });
    join(scene, [1]);
    scene.heard(1);
    scene.say(100, { type: "bye" });
    expect(scene.told(1, "neighbours").flatMap((message) => message.remove)).toEqual([hostIdOf(100)]);
  });

  test("that hold a part are asked to complete it", () => {
    const scene = new Scene();
    scene.greet([100], { role: "seed" });
    scene.say(100, announceOf(task, { wanting: false, have: [0, 1] }));
    join(scene, [1]);
    const [seed] = scene.told(1, "neighbours").flatMap((message) => message.add);
    expect(seed).toMatchObject({ hostId: hostIdOf(100), needsPull: true });
  });

  test("that hold everything are not asked for more", () => {
    const scene = new Scene();
    scene.greet([100], { role: "seed" });
    scene.say(100, announceOf(task, { wanting: false, have: allPieces(task) }));
    join(scene, [1]);
    const [seed] = scene.told(1, "neighbours").flatMap((message) => message.add);
    expect(seed).toMatchObject({ hostId: hostIdOf(100), needsPull: false });
  });
});
