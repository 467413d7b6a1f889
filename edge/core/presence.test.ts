import { describe, expect, test } from "bun:test";
import { aHost, allPieces, announceOf, aTask, hostIdOf, progressOf } from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

const task = aTask(1, 16);
const typesOf = (messages: readonly { type: string }[]) => messages.map((message) => message.type);

function unreachable(parent: number) {
  return { type: "fault", taskId: task.taskId, parentHostId: hostIdOf(parent), kind: "unreachable" } as const;
}

function holders(scene: Scene, piece = 0): number {
  return scene.task(task.taskId).pieces.holdersOf(piece);
}

describe("hello", () => {
  test("is answered with welcome and the intervals of the policy", () => {
    const scene = new Scene();
    scene.greet([1]);
    expect(scene.heard(1)).toEqual([
      { type: "welcome", shard: 0, shardCount: 1, heartbeatIntervalMs: 30_000, progressIntervalMs: 200 },
    ]);
  });

  test("writes a row when the host is new or has changed, and not when it only comes back", () => {
    const scene = new Scene();
    scene.greet([1]);
    expect(scene.takeChanges("put-host").length).toBe(1);
    scene.loseChannel(1);
    scene.greet([1]);
    expect(scene.takeChanges("put-host")).toEqual([]);
    scene.greet([1], { address: "http://10.0.0.99:65002" });
    expect(scene.takeChanges("put-host").map((change) => change.host.info.address)).toEqual(["http://10.0.0.99:65002"]);
  });

  test("of one host too many is answered with an error", () => {
    const scene = new Scene({ maxHosts: 1 });
    scene.greet([1, 2, 1]);
    expect(scene.told(2, "error")[0]?.problem.code).toBe("too-many-requests");
    expect(scene.swarm.hosts.size).toBe(1);
  });

  test("keeps what the host holds until it had time to state it", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task, { wanting: false, have: [0, 1] }));
    scene.greet([1], { startedAtMs: 9_000 });
    expect(holders(scene)).toBe(1);
    scene.say(1, announceOf(task, { wanting: false, have: [1] }));
    expect([holders(scene, 0), holders(scene, 1)]).toEqual([0, 1]);
  });

  test("drops what the host did not state in time, and says so in its row", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task, { wanting: false, have: [0] }));
    scene.greet([1]);
    scene.changes = [];
    expect(scene.wait(scene.policy.offlineGraceMs).restated).toEqual([hostIdOf(1)]);
    expect(holders(scene)).toBe(0);
    expect(scene.takePeers().map((peer) => peer.state)).toEqual(["left"]);
    expect(scene.task(task.taskId).state).toBe("idle");
  });

  test("of POSTed batches one after the other is one connection", () => {
    const scene = new Scene();
    scene.greet([1], {}, "post");
    scene.say(1, announceOf(task, { wanting: false, have: [0] }), "post");
    for (let round = 0; round < 100; round++) {
      scene.wait(200);
      scene.greet([1], {}, "post");
    }
    expect(holders(scene)).toBe(1);
    expect(typesOf(scene.heard(1)).filter((type) => type === "welcome").length).toBe(101);
  });

  test("of a POST after a channel begins anew", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task, { wanting: false, have: [0] }));
    scene.greet([1], {}, "post");
    scene.wait(scene.policy.offlineGraceMs);
    expect(holders(scene)).toBe(0);
  });

  test("with another role makes the host a seed, or none", () => {
    const scene = new Scene();
    scene.greet([1], { role: "seed" });
    expect(scene.swarm.seeds.size).toBe(1);
    scene.greet([1], { role: "normal" });
    expect(scene.swarm.seeds.size).toBe(0);
  });

  test("from another site moves the host's holdings there", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task, { wanting: false, have: [0] }));
    scene.greet([1], { idc: "elsewhere" });
    scene.say(1, announceOf(task, { wanting: false, have: [0, 1] }));
    expect([holders(scene, 0), holders(scene, 1)]).toEqual([1, 1]);
    expect([...scene.task(task.taskId).tradersByIdc.keys()]).toEqual(["elsewhere"]);
  });
});

describe("a host", () => {
  test("that speaks before its hello, or about a task it has not stated, is told to resync", () => {
    const scene = new Scene();
    scene.say(1, announceOf(task));
    expect(scene.heard(1)).toEqual([{ type: "resync" }]);
    scene.greet([1]);
    scene.heard(1);
    scene.say(1, progressOf(task));
    expect(scene.heard(1)).toEqual([{ type: "resync" }]);
  });

  test("is not told to resync again and again", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.heard(1);
    for (let round = 0; round < 10; round++) {
      scene.say(1, progressOf(task));
      scene.wait(scene.policy.resyncIntervalMs / 5);
    }
    expect(scene.heard(1)).toEqual([{ type: "resync" }, { type: "resync" }]);
  });

  test("that lost its channel comes back within the grace as if nothing happened", () => {
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.say(1, announceOf(task, { have: [0] }));
    scene.say(2, announceOf(task));
    scene.heard(2);
    scene.loseChannel(1);
    scene.wait(scene.policy.offlineGraceMs - 1);
    scene.greet([1]);
    scene.say(1, announceOf(task, { have: [0] }));
    expect(scene.told(2, "neighbours").flatMap((message) => message.remove)).toEqual([]);
    expect(holders(scene)).toBe(1);
  });

  test("that stays away loses what it held, and its neighbours are told", () => {
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.say(1, announceOf(task, { have: [0] }));
    scene.say(2, announceOf(task));
    scene.heard(2);
    scene.takeChanges("put-host");
    scene.loseChannel(1);
    scene.wait(scene.policy.offlineGraceMs);
    expect(scene.told(2, "neighbours").flatMap((message) => message.remove)).toEqual([hostIdOf(1)]);
    expect(holders(scene)).toBe(0);
    expect(scene.takeChanges("put-host").length).toBe(1);
  });

  test("that lost its channel, and that a neighbour cannot reach either, gives up its leases and holdings in a moment", () => {
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.say(1, announceOf(task));
    scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 1 }] }));
    scene.say(2, announceOf(task));
    scene.loseChannel(1);
    scene.wait(100);
    scene.say(2, unreachable(1));
    scene.wait(scene.policy.goneAfterMs);
    expect(scene.swarm.hosts.get(hostIdOf(1))?.presence).toBe("offline");
    expect(holders(scene)).toBe(0);
    const leases = [...scene.peer(task.taskId, 2).leases];
    expect(leases.reduce((sum, { openCount }) => sum + openCount, 0)).toBe(16);
  });

  test("that comes back within a moment keeps all, though a neighbour could not reach it", () => {
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.say(1, announceOf(task, { have: [0] }));
    scene.say(2, announceOf(task));
    const leases = [...scene.peer(task.taskId, 1).leases];
    scene.loseChannel(1);
    scene.say(2, unreachable(1));
    scene.wait(scene.policy.goneAfterMs - 1);
    scene.greet([1]);
    scene.say(1, announceOf(task, { have: [0], leases }));
    scene.wait(scene.policy.offlineGraceMs);
    expect(holders(scene)).toBe(1);
    expect([...scene.peer(task.taskId, 1).leases]).toEqual(leases);
  });

  test("that a neighbour cannot reach stays while its channel is there", () => {
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.say(1, announceOf(task, { have: [0] }));
    scene.say(2, announceOf(task));
    scene.say(2, unreachable(1));
    scene.wait(scene.policy.offlineGraceMs);
    expect(holders(scene)).toBe(1);
  });

  test("that is silent for three heartbeats is offline", () => {
    const scene = new Scene();
    scene.greet([1], {}, "post");
    scene.say(1, announceOf(task, { wanting: false, have: [0] }), "post");
    scene.wait(scene.policy.hostSilentMs - 1);
    expect(holders(scene)).toBe(1);
    scene.wait(1);
    expect(holders(scene)).toBe(0);
    expect(scene.swarm.hosts.get(hostIdOf(1))?.presence).toBe("offline");
    scene.heard(1);
    scene.say(1, progressOf(task));
    expect(scene.heard(1)).toEqual([{ type: "resync" }]);
  });

  test("that says bye is offline at once, and its rows stay for its return", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task, { wanting: false, have: allPieces(task) }));
    scene.changes = [];
    scene.say(1, { type: "bye" });
    expect(holders(scene)).toBe(0);
    expect(scene.takePeers()).toEqual([]);
    scene.greet([1]);
    scene.say(1, announceOf(task, { wanting: false, have: allPieces(task) }));
    expect(scene.takePeers()).toEqual([]);
    expect(holders(scene)).toBe(1);
  });

  test("that stays away for long is forgotten, and what it moved stays counted", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task));
    scene.say(1, progressOf(task, { sourceBytes: 500 }));
    scene.say(1, { type: "bye" });
    scene.wait(scene.policy.hostForgetMs);
    expect(scene.takeChanges("remove-host").map((change) => change.hostId)).toEqual([hostIdOf(1)]);
    expect(scene.task(task.taskId).peers.size).toBe(0);
    expect(scene.task(task.taskId).pastBytes.sourceBytes).toBe(500);
  });

  test("is written when it comes and goes, never for a heartbeat or a report", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task));
    scene.changes = [];
    const load = {
      activeUploads: 1,
      activeDownloads: 2,
      uploadBytesPerSecond: 3,
      downloadBytesPerSecond: 4,
      storedBytes: 5,
      freeBytes: 6,
      residentBytes: 7,
    };
    scene.say(1, { type: "heartbeat", load });
    scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 1 }] }));
    expect(scene.changes).toEqual([]);
    expect(scene.swarm.hosts.get(hostIdOf(1))?.load).toEqual(load);
  });
});

test("another life of a host counts its bytes from zero, and the totals go on", () => {
  const scene = new Scene();
  scene.greet([1]);
  scene.say(1, announceOf(task));
  scene.say(1, progressOf(task, { sourceBytes: 100, peerBytes: 10 }));
  scene.say(1, progressOf(task, { sourceBytes: 300, peerBytes: 10 }));
  scene.greet([1], { startedAtMs: 5_000 });
  scene.say(1, announceOf(task));
  scene.say(1, progressOf(task, { sourceBytes: 400, peerBytes: 20 }));
  expect(scene.peer(task.taskId, 1).bytes).toEqual({ sourceBytes: 700, peerBytes: 30 });
  expect(scene.swarm.bytes).toEqual({ sourceBytes: 700, peerBytes: 30 });
  expect(scene.swarm.hosts.get(hostIdOf(1))?.info).toEqual(aHost(1, { startedAtMs: 5_000 }));
});
