import { describe, expect, test } from "bun:test";
import { hostSummarySchema, taskDetailSchema, taskSummarySchema } from "../../schema/wire/query.ts";
import { aHost, announceOf, aTask, bitfieldOf, digestRun, finishOf, hostIdOf, progressOf } from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";
import { hostSummary, taskDetail, taskSummary } from "./views.ts";

const task = aTask(1, 16, { tag: "v1", application: "serving" });

function aScene(): Scene {
  const scene = new Scene();
  scene.greet([1, 2, 3, 4]);
  scene.say(1, announceOf(task));
  scene.say(
    1,
    progressOf(task, { added: [{ firstPiece: 0, pieceCount: 3 }], digests: digestRun([0, 1, 2]), sourceBytes: 300 }),
  );
  scene.say(2, announceOf(task, { wanting: false, have: Array(16).keys() }));
  scene.say(2, progressOf(task, { peerBytes: 50 }));
  scene.say(3, announceOf(task, { wanting: false }));
  scene.say(4, announceOf(task));
  scene.say(4, finishOf(task, "failed", { problem: { code: "source-not-found", message: "404" } }));
  return scene;
}

describe("taskSummary()", () => {
  test("counts who has and wants it, and who moved what", () => {
    const summary = taskSummary(aScene().task(task.taskId));
    expect(taskSummarySchema.parse(summary)).toEqual(summary);
    expect(summary).toMatchObject({
      ...task,
      pieceCount: 16,
      state: "running",
      peerCount: 2,
      completePeerCount: 1,
      knownDigestCount: 3,
      sourceBytes: 300,
      peerBytes: 50,
    });
  });
});

describe("taskDetail()", () => {
  test("names each peer with its pieces, by host id", () => {
    const detail = taskDetail(aScene().task(task.taskId));
    expect(taskDetailSchema.parse(detail)).toEqual(detail);
    expect(detail.peers.map((peer) => [peer.hostId, peer.state, peer.heldPieceCount])).toEqual([
      [hostIdOf(1), "running", 3],
      [hostIdOf(2), "succeeded", 16],
      [hostIdOf(3), "holding", 0],
      [hostIdOf(4), "failed", 0],
    ]);
    expect(detail.peers[0]?.bitfield).toBe(bitfieldOf(16, [0, 1, 2]).toBase64());
    expect(detail.peers[3]?.problem).toEqual({ code: "source-not-found", message: "404" });
    expect(detail.peers[0]?.leasedPieceCount).toBe(13);
  });

  test("leaves out who left or is offline, and counts what they moved", () => {
    const scene = aScene();
    scene.say(2, finishOf(task, "left", { peerBytes: 60 }));
    scene.say(1, { type: "bye" });
    const detail = taskDetail(scene.task(task.taskId));
    expect(detail.peers.map((peer) => peer.hostId)).toEqual([hostIdOf(3), hostIdOf(4)]);
    expect([detail.sourceBytes, detail.peerBytes]).toEqual([300, 60]);
  });
});

describe("hostSummary()", () => {
  test("tells whether the host is there, and until when it is banned", () => {
    const scene = aScene();
    const host = scene.swarm.hosts.get(hostIdOf(1));
    if (host === undefined) throw new Error("Host 1 is unknown");
    const summary = hostSummary(host, 7, scene.nowMs);
    expect(hostSummarySchema.parse(summary)).toEqual(summary);
    expect(summary).toMatchObject({ ...aHost(1), state: "online", load: null, bannedUntilMs: null, taskCount: 7 });
    host.bannedUntilMs = scene.nowMs + 1;
    expect(hostSummary(host, 7, scene.nowMs).bannedUntilMs).toBe(scene.nowMs + 1);
    scene.say(1, { type: "bye" });
    expect(hostSummary(host, 0, scene.nowMs + 1)).toMatchObject({ state: "offline", bannedUntilMs: null });
  });
});
