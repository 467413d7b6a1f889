import { describe, expect, test } from "bun:test";
import { PIECE_DIGEST_BYTES } from "../../schema/digest.ts";
import { MAX_DIGESTS_PER_MESSAGE } from "../../schema/wire/peer-message.ts";
import { allPieces, announceOf, aTask, digestOf, digestRun, finishOf, progressOf } from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

const task = aTask(1, 64);
const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

function join(scene: Scene, ...numbers: number[]): void {
  for (const number of numbers) {
    scene.greet([number]);
    scene.say(number, announceOf(task));
  }
}

function piecesTold(scene: Scene, number: number): number[] {
  return scene
    .told(number, "digests")
    .flatMap((message) =>
      message.runs.flatMap(({ firstPiece, digests }) =>
        Array.from({ length: digests.length / PIECE_DIGEST_BYTES }, (_, at) => firstPiece + at),
      ),
    );
}

function report(scene: Scene, number: number, pieces: readonly number[], version = 0): void {
  const added = pieces.map((piece) => ({ firstPiece: piece, pieceCount: 1 }));
  scene.say(number, progressOf(task, { added, digests: digestRun(pieces, version) }));
}

describe("digests", () => {
  test("are taken from the host that reads the pieces, and relayed to the others", () => {
    const scene = new Scene();
    join(scene, 1, 2, 3);
    for (const number of [1, 2, 3]) scene.heard(number);
    report(scene, 1, [0, 1]);
    expect(piecesTold(scene, 1)).toEqual([]);
    expect(piecesTold(scene, 2)).toEqual([0, 1]);
    expect(piecesTold(scene, 3)).toEqual([0, 1]);
    report(scene, 1, [2]);
    expect(piecesTold(scene, 2)).toEqual([2]);
  });

  test("are taken for pieces under a lease before the pieces are kept", () => {
    const scene = new Scene();
    join(scene, 1);
    scene.say(1, progressOf(task, { digests: digestRun([0]) }));
    expect(scene.task(task.taskId).digests.get(0)).toEqual(digestOf(0));
  });

  test("are not taken for pieces the host neither reads nor holds", () => {
    const scene = new Scene();
    join(scene, 1, 2);
    scene.say(2, progressOf(task, { digests: digestRun([0, 63, 64, 1_000_000]) }));
    expect(scene.task(task.taskId).digests.knownCount).toBe(0);
  });

  test("of a host that is banned are not taken", () => {
    const scene = new Scene();
    join(scene, 1, 2);
    scene.say(2, {
      type: "fault",
      taskId: task.taskId,
      parentHostId: scene.peer(task.taskId, 1).host.info.hostId,
      kind: "corrupt",
    });
    report(scene, 1, [0]);
    expect(scene.task(task.taskId).digests.knownCount).toBe(0);
  });

  test("come whole to a host that announces itself, and again when it comes back or begins anew", () => {
    const scene = new Scene();
    join(scene, 1);
    report(scene, 1, [0, 1, 2, 5]);
    for (let round = 0; round < 2; round++) {
      join(scene, 2);
      expect(piecesTold(scene, 2)).toEqual([0, 1, 2, 5]);
    }
    scene.say(2, finishOf(task, "failed"));
    scene.say(2, announceOf(task));
    expect(piecesTold(scene, 2)).toEqual([0, 1, 2, 5]);
  });

  test("are not sent again to a host that announces the same again, but those that came since are", () => {
    const scene = new Scene();
    join(scene, 1, 2);
    report(scene, 1, [0, 1, 2, 5]);
    expect(piecesTold(scene, 2)).toEqual([0, 1, 2, 5]);
    for (let round = 0; round < 40; round++) scene.say(2, announceOf(task));
    report(scene, 1, [6]);
    expect(piecesTold(scene, 2)).toEqual([6]);
  });

  test("come to nobody who only offers", () => {
    const scene = new Scene();
    join(scene, 1);
    scene.greet([2]);
    scene.say(2, announceOf(task, { wanting: false }));
    scene.heard(2);
    report(scene, 1, [0]);
    expect(scene.told(2, "digests")).toEqual([]);
  });

  test("are asked for when the host holds pieces whose digest is not known", () => {
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.say(1, announceOf(task, { wanting: false, have: [3, 4] }));
    expect(scene.told(1, "task")[0]?.digestsWanted).toBe(true);
    scene.say(1, progressOf(task, { digests: digestRun([3, 4]) }));
    scene.say(2, announceOf(task, { wanting: false, have: [3] }));
    expect(scene.told(2, "task")[0]?.digestsWanted).toBe(false);
  });

  test("that differ from what is known refuse the host: it has read another version", () => {
    const scene = new Scene();
    join(scene, 1, 2);
    report(scene, 1, [0, 1]);
    scene.heard(2);
    scene.heard(1);
    report(scene, 2, [0], 1);
    const heard = scene.heard(2);
    expect(heard.find((message) => message.type === "refused")).toMatchObject({ code: "source-changed" });
    const peer = scene.peer(task.taskId, 2);
    expect([peer.state, peer.present, peer.problem?.code]).toEqual(["failed", false, "source-changed"]);
    expect(scene.task(task.taskId).digests.get(0)).toEqual(digestOf(0));
    expect(scene.told(1, "neighbours").flatMap((message) => message.remove)).toEqual([peer.host.info.hostId]);
  });

  test("of a host that was refused are ignored, and so is its end", () => {
    const scene = new Scene();
    join(scene, 1, 2);
    report(scene, 1, [0]);
    report(scene, 2, [0], 1);
    scene.heard(2);
    report(scene, 2, [5]);
    scene.say(2, finishOf(task, "failed"));
    expect(scene.heard(2)).toEqual([]);
    expect(scene.task(task.taskId).pieces.holdersOf(5)).toBe(0);
  });

  test("keep a host that holds another version out, however often it announces, until it has removed it", () => {
    const scene = new Scene();
    join(scene, 1, 2);
    report(scene, 1, [0]);
    report(scene, 2, [0], 1);
    scene.heard(2);
    const { pieces } = scene.task(task.taskId);
    for (let round = 0; round < 3; round++) {
      scene.greet([2]);
      scene.say(2, announceOf(task, { wanting: round === 0, have: [0, 7] }));
      expect(scene.told(2, "refused").map(({ code }) => code)).toEqual(["source-changed"]);
      expect([pieces.holdersOf(0), pieces.holdersOf(7)]).toEqual([1, 0]);
    }
    scene.say(2, finishOf(task, "left"));
    scene.say(2, announceOf(task));
    expect(scene.told(2, "refused")).toEqual([]);
    expect(scene.peer(task.taskId, 2).state).toBe("running");
  });

  test("do not keep out a host that found out itself that the source changed: what it has is right", () => {
    const scene = new Scene();
    join(scene, 1);
    report(scene, 1, [0]);
    scene.say(1, finishOf(task, "failed", { problem: { code: "source-changed", message: "412" } }));
    scene.greet([1]);
    scene.say(1, announceOf(task, { wanting: false, have: [0] }));
    expect(scene.told(1, "refused")).toEqual([]);
    expect(scene.task(task.taskId).pieces.holdersOf(0)).toBe(1);
  });

  test("are gathered for a moment when many want them, and each is sent once", () => {
    const scene = new Scene({ relayAtOncePeers: 4, relayMsPerPeer: 4, relayIntervalMs: 100 });
    join(scene, ...upTo(6));
    for (const number of upTo(6)) scene.heard(number);
    const [lease] = scene.task(task.taskId).leases.values();
    if (lease === undefined) throw new Error("Nobody reads");
    const reader = upTo(6).find((number) => scene.peer(task.taskId, number) === lease.peer) ?? 0;
    const listener = reader === 6 ? 5 : 6;
    report(scene, reader, [lease.firstPiece]);
    expect(piecesTold(scene, listener)).toEqual([]);
    report(scene, reader, [lease.firstPiece + 1]);
    scene.wait(23);
    expect(piecesTold(scene, listener)).toEqual([]);
    scene.wait(1);
    expect(piecesTold(scene, listener)).toEqual([lease.firstPiece, lease.firstPiece + 1]);
    scene.wait(1_000);
    expect(piecesTold(scene, listener)).toEqual([]);
  });

  test("are cut into messages the wire can carry", () => {
    const long = aTask(2, 3 * MAX_DIGESTS_PER_MESSAGE);
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.say(1, announceOf(long, { wanting: false, have: allPieces(long) }));
    scene.say(1, progressOf(long, { digests: digestRun(allPieces(long).filter((piece) => piece % 3 !== 1)) }));
    scene.heard(2);
    scene.say(2, announceOf(long));
    const messages = scene.told(2, "digests");
    const lengths = messages.map((message) => message.runs.reduce((sum, run) => sum + run.digests.length, 0));
    expect(Math.max(...lengths)).toBeLessThanOrEqual(MAX_DIGESTS_PER_MESSAGE * PIECE_DIGEST_BYTES);
    expect(Math.max(...messages.map((message) => message.runs.length))).toBeLessThanOrEqual(4096);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(2 * MAX_DIGESTS_PER_MESSAGE * PIECE_DIGEST_BYTES);
  });

  test("are written once a chunk is complete, or the task runs no more", () => {
    const scene = new Scene();
    join(scene, 1);
    scene.takeChanges("put-digests");
    report(scene, 1, allPieces(task).slice(0, 60));
    expect(scene.takeChanges("put-digests")).toEqual([]);
    scene.say(1, finishOf(task, "failed"));
    expect(scene.takeChanges("put-digests").length).toBe(1);
    join(scene, 1);
    scene.takeChanges("put-digests");
    report(scene, 1, allPieces(task).slice(60));
    expect(scene.takeChanges("put-digests").length).toBe(1);
  });
});
