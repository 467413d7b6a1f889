import { describe, expect, test } from "bun:test";
import type { LeaseId } from "../../schema/ids.ts";
import type { PeerRecord } from "./change.ts";
import { dropTask, isDroppable, type Remembered, restoreHost, restoreTask, resumeHost, takeTask } from "./restore.ts";
import { createSwarm } from "./swarm.ts";
import {
  aHost,
  allPieces,
  announceOf,
  aTask,
  bitfieldOf,
  digestRun,
  finishOf,
  hostIdOf,
  progressOf,
} from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

const task = aTask(1, 16);

function aPeer(number: number, state: PeerRecord["state"], have: Iterable<number> = []): PeerRecord {
  const bitfield = bitfieldOf(16, have);
  const ids = { taskId: task.taskId, hostId: hostIdOf(number) };
  return { ...ids, state, bitfield, sourceBytes: 1_000, peerBytes: 10, problem: null, updatedAtMs: 900_000 };
}

/** Of a task that nobody wanted. */
function remembered(...peers: PeerRecord[]): Remembered {
  const record = { info: task, state: "idle", createdAtMs: 1, updatedAtMs: 2 } as const;
  return { task: record, packs: [{ taskId: task.taskId, pack: 0, peers }], digests: [] };
}

/** Of one that ran: what its rows say of peers is behind. */
function running(...peers: PeerRecord[]): Remembered {
  const { task: record, ...rest } = remembered(...peers);
  return { ...rest, task: { ...record, state: "running" } };
}

/** Memory begins with these rows; host `n` is offline until it says hello. */
function restarted(stored: Remembered, overrides = {}): Scene {
  const scene = new Scene(overrides);
  for (const { hostId } of stored.packs.flatMap(({ peers }) => peers)) {
    const info = { ...aHost(1), hostId };
    restoreHost(scene.swarm, { info, lastSeenAtMs: scene.nowMs - 1_000, bannedUntilMs: null });
  }
  takeTask(scene.swarm, restoreTask(scene.swarm, stored, scene.nowMs), scene.policy, scene.nowMs);
  return scene;
}

describe("after a restart", () => {
  test("a host that stands in two rows is there once, as the newer says", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.swarm.hosts.get(hostIdOf(1))?.tasks.add(task.taskId);
    const newer = { ...aPeer(1, "holding", [0]), updatedAtMs: 950_000 };
    const packs = [newer, aPeer(1, "holding", [0, 1, 2])].map((peer, pack) => ({ ...task, pack, peers: [peer] }));
    const restored = restoreTask(scene.swarm, { ...remembered(), packs }, scene.nowMs);
    takeTask(scene.swarm, restored, scene.policy, scene.nowMs);
    expect([0, 1].map((piece) => restored.pieces.holdersOf(piece))).toEqual([1, 0]);
    scene.say(1, finishOf(task, "left"));
    expect(restored.traders.size).toBe(0);
  });

  test("nothing is granted until the hosts had time to state their leases", () => {
    const scene = restarted(running());
    scene.greet([1]);
    scene.say(1, announceOf(task));
    expect(scene.granted(1)).toEqual([]);
    scene.wait(scene.policy.recoveryGraceMs - 1);
    scene.greet([2]);
    const leases = [{ leaseId: "before-1" as LeaseId, firstPiece: 0, pieceCount: 8, readBytes: 5 }];
    scene.say(2, announceOf(task, { leases }));
    scene.wait(1);
    expect(scene.granted(1)[0]?.[0]).toBe(8);
    expect(scene.peer(task.taskId, 2).leases.size).toBeGreaterThan(0);
  });

  test("a host that held another version is kept out still", () => {
    const problem = { code: "source-changed", message: "Piece 0 is different" };
    const refused = { ...aPeer(1, "failed"), bitfield: new Uint8Array(0), problem };
    const scene = restarted(remembered(refused, { ...aPeer(2, "failed", [0]), problem }));
    scene.greet([1]);
    scene.greet([2]);
    for (const number of [1, 2]) scene.say(number, announceOf(task, { wanting: false, have: [0] }));
    expect([1, 2].map((number) => scene.told(number, "refused").length)).toEqual([1, 0]);
    expect(scene.task(task.taskId).pieces.holdersOf(0)).toBe(1);
  });

  test("the wait ends as soon as everybody is back", () => {
    const scene = restarted(remembered(aPeer(1, "holding"), aPeer(2, "left"), aPeer(3, "failed")));
    scene.greet([1]);
    scene.say(1, announceOf(task));
    expect(scene.granted(1).length).toBeGreaterThan(0);
  });

  test("the wait ends when its time is over, whoever is missing", () => {
    const scene = restarted(remembered(aPeer(1, "holding"), aPeer(2, "holding")));
    scene.wait(30_000);
    scene.greet([1]);
    scene.say(1, announceOf(task));
    expect(scene.granted(1)).toEqual([]);
    scene.wait(scene.policy.recoveryGraceMs);
    expect(scene.granted(1).length).toBeGreaterThan(0);
  });

  test("a task nobody came back to is idle once its hosts count as silent", () => {
    const scene = restarted(running());
    scene.wait(scene.policy.hostSilentMs - 1);
    expect(scene.takeChanges("put-task")).toEqual([]);
    scene.wait(1);
    expect(scene.takeChanges("put-task").map((change) => change.task.state)).toEqual(["idle"]);
  });

  test("hosts that went long before the restart are not waited for", () => {
    const scene = new Scene();
    scene.nowMs += scene.policy.hostSilentMs;
    restoreHost(scene.swarm, { info: aHost(1), lastSeenAtMs: 1, bannedUntilMs: null });
    restoreHost(scene.swarm, { info: aHost(2), lastSeenAtMs: 1, bannedUntilMs: null });
    const stored = remembered(aPeer(1, "holding"), aPeer(2, "holding", [0]));
    takeTask(scene.swarm, restoreTask(scene.swarm, stored, scene.nowMs), scene.policy, scene.nowMs);
    scene.greet([1]);
    scene.say(1, announceOf(task));
    expect(scene.granted(1).length).toBeGreaterThan(0);
  });

  test("bytes go on from where the rows are, in the same life and in another", () => {
    const scene = restarted(running(aPeer(1, "holding"), aPeer(2, "holding")));
    scene.greet([1]);
    scene.greet([2], { startedAtMs: 950_000 });
    for (const number of [1, 2]) scene.say(number, announceOf(task));
    scene.say(1, progressOf(task, { sourceBytes: 1_500, peerBytes: 10 }));
    scene.say(2, progressOf(task, { sourceBytes: 1_500, peerBytes: 10 }));
    expect(scene.peer(task.taskId, 1).bytes.sourceBytes).toBe(1_500);
    expect(scene.peer(task.taskId, 2).bytes.sourceBytes).toBe(2_500);
  });

  test("a peer that states what its row says is not written again", () => {
    const scene = restarted(remembered(aPeer(1, "succeeded", allPieces(task))));
    scene.greet([1]);
    scene.say(1, announceOf(task, { wanting: false, have: allPieces(task) }));
    expect(scene.takePeers()).toEqual([]);
    scene.say(1, announceOf(task, { wanting: false, have: [1] }));
    expect(scene.takePeers().length).toBe(1);
  });

  test("digests that were stored are known, and the rest is asked for", () => {
    const before = new Scene();
    before.greet([1]);
    before.say(1, announceOf(task));
    before.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 2 }], digests: digestRun([0, 1]) }));
    before.say(1, finishOf(task, "failed"));
    const digests = before.takeChanges("put-digests").map((change) => change.chunk);
    const scene = restarted({ ...remembered(aPeer(1, "holding", [0, 1])), digests });
    scene.greet([1]);
    scene.say(1, announceOf(task, { wanting: false, have: [0, 1] }));
    scene.say(1, announceOf(task, { wanting: false, have: [0, 1, 2] }));
    expect(scene.told(1, "task").map((message) => message.digestsWanted)).toEqual([false, true]);
  });
});

describe("resumeHost()", () => {
  test("trusts the rows of a host whose channel outlived memory", () => {
    const scene = new Scene();
    restoreHost(scene.swarm, { info: aHost(1, { role: "seed" }), lastSeenAtMs: 1, bannedUntilMs: null });
    expect(resumeHost(scene.swarm, hostIdOf(1), scene.nowMs)).toBe(true);
    const stored = remembered(aPeer(1, "succeeded", allPieces(task)));
    takeTask(scene.swarm, restoreTask(scene.swarm, stored, scene.nowMs), scene.policy, scene.nowMs);
    scene.greet([2]);
    scene.say(2, announceOf(task));
    expect(scene.granted(2)).toEqual([]);
    expect(scene.task(task.taskId).pieces.holdersOf(0)).toBe(1);
    expect(scene.swarm.seeds.size).toBe(1);
  });

  test("makes a host state everything anew when it may take part in what runs, or is unknown", () => {
    const calm = restarted(remembered(aPeer(2, "left")));
    expect(resumeHost(calm.swarm, hostIdOf(2), calm.nowMs)).toBe(true);
    expect(resumeHost(calm.swarm, hostIdOf(3), calm.nowMs)).toBe(false);
    const busy = restarted(running(aPeer(2, "left")));
    expect(resumeHost(busy.swarm, hostIdOf(2), busy.nowMs)).toBe(false);
  });
});

test("a memory that lost no channel does not wait for hosts that had none", () => {
  const scene = new Scene();
  for (const number of [1, 2]) restoreHost(scene.swarm, { info: aHost(number), lastSeenAtMs: 1, bannedUntilMs: null });
  resumeHost(scene.swarm, hostIdOf(2), scene.nowMs);
  const stored = remembered(aPeer(1, "holding", [0]));
  takeTask(scene.swarm, restoreTask(scene.swarm, stored, scene.nowMs), scene.policy, scene.nowMs);
  scene.say(2, announceOf(task));
  expect(scene.granted(2).length).toBeGreaterThan(0);
});

describe("restoreTask()", () => {
  test("does not trust rows of a host that said hello since and did not state the task", () => {
    const scene = new Scene();
    scene.greet([1]);
    const stored = remembered(aPeer(1, "holding", [0]));
    expect(restoreTask(scene.swarm, stored, scene.nowMs).pieces.holdersOf(0)).toBe(0);
  });

  test("ignores a bitfield of another shape", () => {
    const scene = new Scene();
    restoreHost(scene.swarm, { info: aHost(1), lastSeenAtMs: 1, bannedUntilMs: null });
    resumeHost(scene.swarm, hostIdOf(1), scene.nowMs);
    const stored = remembered({ ...aPeer(1, "holding"), bitfield: new Uint8Array(99) });
    expect(restoreTask(scene.swarm, stored, scene.nowMs).traders.size).toBe(0);
  });

  test("counts bytes of hosts that were forgotten", () => {
    const swarm = createSwarm({ shard: 0, shardCount: 1, nowMs: 1 });
    expect(restoreTask(swarm, remembered(aPeer(1, "left")), 1).pastBytes).toEqual({
      sourceBytes: 1_000,
      peerBytes: 10,
    });
  });
});

describe("a task that is settled", () => {
  test("can be dropped from memory and taken back from its rows, with all its holders", () => {
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.say(1, announceOf(task, { wanting: false, have: allPieces(task) }));
    scene.say(1, progressOf(task, { digests: digestRun(allPieces(task)) }));
    const peers = scene.changes.flatMap((change) => (change.kind === "put-peers" ? change.pack.peers : []));
    const digests = scene.takeChanges("put-digests").map((change) => change.chunk);
    expect(isDroppable(scene.task(task.taskId))).toBe(true);
    dropTask(scene.swarm, scene.task(task.taskId));
    expect(scene.swarm.pieceCount).toBe(0);

    const stored = { ...remembered(...peers.slice(-1)), digests };
    takeTask(scene.swarm, restoreTask(scene.swarm, stored, scene.nowMs), scene.policy, scene.nowMs);
    scene.say(2, announceOf(task));
    expect(scene.granted(2)).toEqual([]);
    expect([...scene.peer(task.taskId, 2).neighbours].map((peer) => peer.host.info.hostId)).toEqual([hostIdOf(1)]);
    scene.say(1, { type: "bye" });
    expect(scene.granted(2).length).toBeGreaterThan(0);
  });

  test("is not dropped while somebody wants it, or has yet to state it", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task));
    expect(isDroppable(scene.task(task.taskId))).toBe(false);
    scene.say(1, announceOf(task, { wanting: false, have: [0] }));
    expect(isDroppable(scene.task(task.taskId))).toBe(true);
    scene.greet([1]);
    expect(isDroppable(scene.task(task.taskId))).toBe(false);
  });
});
