import { describe, expect, test } from "bun:test";
import { allPieces, announceOf, aTask, finishOf, hostIdOf, PIECE_BYTES, progressOf } from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

const task = aTask(1, 16);

function aScene(...numbers: number[]): Scene {
  const scene = new Scene();
  for (const number of numbers) {
    scene.greet([number]);
    scene.say(number, announceOf(task));
  }
  return scene;
}

describe("announce", () => {
  test("is answered with the task first, then digests, neighbours and leases", () => {
    const long = aTask(1, 1024);
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.say(1, announceOf(long));
    scene.say(1, progressOf(long, { digests: [{ firstPiece: 0, digests: new Uint8Array(32) }] }));
    scene.heard(2);
    scene.say(2, announceOf(long));
    expect(scene.heard(2).map((message) => message.type)).toEqual(["task", "digests", "neighbours", "leases"]);
  });

  test("said twice counts a holding once", () => {
    const scene = new Scene();
    scene.greet([1]);
    for (let round = 0; round < 3; round++) scene.say(1, announceOf(task, { have: [0, 3] }));
    const { pieces } = scene.task(task.taskId);
    expect([pieces.holdersOf(0), pieces.holdersOf(3)]).toEqual([1, 1]);
  });

  test("writes that the task runs, no peer that wants it, and nothing when nothing changed", () => {
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.changes = [];
    for (const number of [1, 2]) scene.say(number, announceOf(task));
    expect(scene.changes.map((change) => change.kind)).toEqual(["put-task"]);
    scene.changes = [];
    scene.say(1, announceOf(task));
    expect(scene.changes).toEqual([]);
  });

  test("of one who only offers is written at once, and not again when it says the same", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task, { wanting: false, have: [0] }));
    expect(scene.takePeers().map((peer) => peer.state)).toEqual(["holding"]);
    scene.say(1, announceOf(task, { wanting: false, have: [0] }));
    expect(scene.changes).toEqual([]);
  });

  test("tells from what is held and wanted what the peer is", () => {
    const scene = new Scene();
    scene.greet([1, 2, 3]);
    scene.say(1, announceOf(task, { have: [0] }));
    scene.say(2, announceOf(task, { have: [0], wanting: false }));
    scene.say(3, announceOf(task, { have: allPieces(task) }));
    expect([1, 2, 3].map((number) => scene.peer(task.taskId, number).state)).toEqual([
      "running",
      "holding",
      "succeeded",
    ]);
  });

  test("of the same task with another size or piece length is refused", () => {
    const scene = aScene(1);
    scene.greet([2]);
    scene.heard(2);
    scene.say(2, announceOf({ ...task, sizeBytes: task.sizeBytes - 1 }));
    scene.say(2, announceOf({ ...task, pieceLengthBytes: PIECE_BYTES * 2 }));
    expect(scene.told(2, "refused").map((message) => message.code)).toEqual(["task-mismatch", "task-mismatch"]);
    expect(scene.task(task.taskId).peers.has(hostIdOf(2))).toBe(false);
  });

  test("with a bitfield of another length, or bits beyond the last piece, is refused", () => {
    const scene = new Scene();
    scene.greet([1]);
    const odd = aTask(2, 13);
    scene.say(1, { ...announceOf(odd), have: new Uint8Array(3) });
    scene.say(1, { ...announceOf(odd), have: Uint8Array.of(0, 0xff) });
    expect(scene.told(1, "refused").map((message) => message.code)).toEqual(["bad-message", "bad-message"]);
    expect(scene.swarm.tasks.size).toBe(0);
  });

  test("of one task too many for a host, or one too long for the shard, is refused", () => {
    const scene = new Scene({ maxTasksPerHost: 1, maxPieces: 100 });
    scene.greet([1, 2]);
    scene.say(1, announceOf(task));
    scene.say(1, announceOf(aTask(2, 1)));
    scene.say(2, announceOf(aTask(3, 85)));
    scene.say(2, announceOf(aTask(4, 84)));
    expect(scene.told(1, "refused").map((message) => message.code)).toEqual(["too-many-requests"]);
    expect(scene.told(2, "refused").map((message) => message.taskId)).toEqual([aTask(3, 1).taskId]);
    scene.say(1, announceOf(task));
    expect(scene.told(1, "refused")).toEqual([]);
  });
});

describe("progress", () => {
  test("beyond the last piece is ignored", () => {
    const scene = aScene(1);
    scene.say(
      1,
      progressOf(task, {
        added: [
          { firstPiece: 14, pieceCount: 1_000_000 },
          { firstPiece: 99, pieceCount: 5 },
        ],
      }),
    );
    expect(scene.peer(task.taskId, 1).heldCount).toBe(2);
  });

  test("that takes a piece away makes it leasable again", () => {
    const scene = aScene(1);
    scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 16 }] }));
    scene.greet([2]);
    scene.say(2, announceOf(task));
    for (const number of [1, 2]) scene.heard(number);
    scene.say(1, progressOf(task, { removed: [{ firstPiece: 5, pieceCount: 1 }] }));
    const granted = [...scene.granted(1), ...scene.granted(2)];
    expect(granted).toEqual([[5, 1]]);
  });

  test("of a peer that had everything makes it a holder of the rest, and is written", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task, { wanting: false, have: allPieces(task) }));
    scene.changes = [];
    scene.say(1, progressOf(task, { removed: [{ firstPiece: 5, pieceCount: 1 }] }));
    expect(new Set(scene.changes.map((change) => change.kind))).toEqual(new Set(["put-peers", "put-task"]));
    expect([scene.peer(task.taskId, 1).state, scene.task(task.taskId).state]).toEqual(["holding", "idle"]);
  });
});

describe("finish", () => {
  test("succeeded keeps serving", () => {
    const scene = aScene(1);
    scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 16 }], sourceBytes: 4_000 }));
    scene.changes = [];
    scene.say(1, finishOf(task, "succeeded", { sourceBytes: 4_096, peerBytes: 0 }));
    expect(scene.task(task.taskId).pieces.holdersOf(15)).toBe(1);
    expect(scene.task(task.taskId).state).toBe("succeeded");
    const [row, ...others] = scene.takePeers();
    expect(others).toEqual([]);
    expect(row).toMatchObject({ state: "succeeded", sourceBytes: 4_096 });
  });

  test("succeeded of a host that we know lacks pieces asks it to state everything", () => {
    const scene = aScene(1);
    scene.heard(1);
    scene.say(1, finishOf(task, "succeeded"));
    expect(scene.heard(1).map((message) => message.type)).toContain("resync");
  });

  test("failed keeps what is held on offer, and says why", () => {
    const scene = aScene(1);
    const problem = { code: "source-not-found", message: "404" } as const;
    scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 2 }] }));
    scene.say(1, finishOf(task, "failed", { problem }));
    expect(scene.task(task.taskId).pieces.holdersOf(0)).toBe(1);
    expect(scene.peer(task.taskId, 1).problem).toEqual(problem);
    expect(scene.task(task.taskId).state).toBe("failed");
  });

  test("left withdraws everything: what nobody else holds is leased again", () => {
    const scene = aScene(1);
    scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 16 }] }));
    scene.greet([2]);
    scene.say(2, announceOf(task));
    scene.heard(2);
    scene.say(1, finishOf(task, "left"));
    expect(scene.granted(2)[0]?.[0]).toBe(0);
    expect(scene.peer(task.taskId, 1).present).toBe(false);
    expect(scene.takePeers()).toEqual([]);
    scene.say(2, finishOf(task, "left"));
    expect(scene.takePeers()[0]).toMatchObject({ state: "left", hostId: hostIdOf(1), bitfield: new Uint8Array(0) });
  });

  test("left of a task the shard does not know from this host asks for nothing", () => {
    const scene = aScene(1);
    scene.greet([2]);
    scene.heard(2);
    scene.say(2, finishOf(aTask(2, 0), "left"));
    scene.say(2, finishOf(task, "left"));
    expect(scene.heard(2)).toEqual([]);
    scene.say(2, finishOf(task, "succeeded"));
    expect(scene.heard(2)).toEqual([{ type: "resync" }]);
  });

  test("said twice changes and writes nothing more", () => {
    const scene = aScene(1);
    scene.say(1, finishOf(task, "failed"));
    scene.changes = [];
    scene.say(1, finishOf(task, "failed"));
    scene.say(1, finishOf(task, "left"));
    scene.changes = [];
    scene.say(1, finishOf(task, "left"));
    expect(scene.changes).toEqual([]);
    expect(scene.told(1, "resync")).toEqual([]);
  });
});

describe("the state of a task", () => {
  test("goes from running over succeeded to idle, one row each", () => {
    const scene = aScene(1);
    scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 16 }] }));
    scene.say(1, finishOf(task, "succeeded"));
    scene.say(1, finishOf(task, "left"));
    expect(scene.takeChanges("put-task").map((change) => change.task.state)).toEqual(["running", "succeeded", "idle"]);
  });

  test("is running while anybody wants it, though another has it all", () => {
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.say(1, announceOf(task, { wanting: false, have: allPieces(task) }));
    scene.say(2, announceOf(task));
    expect(scene.task(task.taskId).state).toBe("running");
  });

  test("is failed when every peer failed, and running when one tries again", () => {
    const scene = aScene(1, 2);
    scene.say(1, finishOf(task, "failed"));
    expect(scene.task(task.taskId).state).toBe("running");
    scene.say(2, finishOf(task, "failed"));
    expect(scene.task(task.taskId).state).toBe("failed");
    scene.say(2, announceOf(task));
    expect(scene.task(task.taskId).state).toBe("running");
  });
});
