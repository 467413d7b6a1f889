import { describe, expect, test } from "bun:test";
import { explainTask } from "./explain.ts";
import { swiftOf } from "./slow-hosts.ts";
import { announceOf, aTask, progressOf } from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

const task = aTask(1, 400);
const PIECE = task.pieceLengthBytes;

function begin(scene: Scene, number: number): void {
  scene.greet([number]);
  scene.say(number, announceOf(task));
}

/** It got so many pieces in trade. */
function gain(scene: Scene, number: number, pieceCount: number): void {
  scene.say(number, progressOf(task, { added: [{ firstPiece: 200, pieceCount }] }));
}

function shortenedOf(scene: Scene, number: number) {
  return scene.told(number, "leases").flatMap((message) => message.shortened ?? []);
}

function swiftNumbers(scene: Scene, numbers: readonly number[]): number[] {
  const swift = swiftOf(
    scene,
    numbers.map((number) => scene.peer(task.taskId, number)),
  );
  return numbers.filter((number) => swift.includes(scene.peer(task.taskId, number)));
}

describe("a host that is much slower than others", () => {
  test("gives back what it has not begun to read, and is granted nothing while others can read", () => {
    const scene = new Scene();
    for (const number of [1, 2, 3]) begin(scene, number);
    const held = scene.told(1, "leases").flatMap((message) => message.granted);
    expect(held.every(({ pieceCount }) => pieceCount > 1)).toBe(true);
    scene.nowMs += 1100;
    scene.say(1, progressOf(task, { leases: held.map((lease) => ({ ...lease, readBytes: PIECE / 4 })) }));
    gain(scene, 1, 2);
    for (const number of [2, 3]) gain(scene, number, 40);
    expect(shortenedOf(scene, 1)).toEqual(held.map(({ leaseId }) => ({ leaseId, pieceCount: 1 })));
    scene.nowMs += 200;
    const added = held.map(({ firstPiece }) => ({ firstPiece, pieceCount: 1 }));
    const leases = held.map(({ leaseId, firstPiece }) => ({
      leaseId,
      firstPiece,
      pieceCount: 1,
      readBytes: PIECE / 2,
    }));
    scene.say(1, progressOf(task, { leases }));
    scene.say(1, progressOf(task, { added }));
    expect(scene.granted(1)).toEqual([]);
    const { readers } = explainTask(scene.swarm, scene.task(task.taskId), scene.policy, scene.nowMs);
    expect(readers[0]?.standing).toBe("slow");
    expect(scene.peer(task.taskId, 1).leases.size).toBe(0);
  });
});

describe("a host that fell behind on a busy machine", () => {
  test("keeps what it reads within two seconds, and what its source has not begun to send or has sent already", () => {
    for (const [readPieces, more] of [
      [0, {}],
      [2.5, {}],
      [0.5, { backlogBytes: PIECE }],
    ] as const) {
      const scene = new Scene();
      for (const number of [1, 2, 3]) begin(scene, number);
      const held = scene.told(1, "leases").flatMap((message) => message.granted);
      scene.nowMs += 900;
      // Of eight pieces: the five after the one that is being read take 1.8 s.
      expect(held.map(({ pieceCount }) => pieceCount)).toEqual(held.map(() => 8));
      const leases = held.map((lease) => ({ ...lease, readBytes: readPieces * PIECE, ...more }));
      scene.say(1, progressOf(task, { leases }));
      scene.nowMs += 200;
      gain(scene, 1, 2);
      for (const number of [2, 3]) gain(scene, number, 40);
      expect(swiftNumbers(scene, [1, 2, 3])).toEqual([2, 3]);
      expect(shortenedOf(scene, 1)).toEqual([]);
    }
  });
});

describe("swiftOf()", () => {
  test("takes who says after a while that it has read nothing for slow, and neither who was not heard nor who was granted none", () => {
    const scene = new Scene({ sourceStreamsPerTask: 8 });
    for (const number of [1, 2, 3]) begin(scene, number);
    expect([1, 2, 3].map((number) => scene.peer(task.taskId, number).leases.size)).toEqual([4, 4, 0]);
    scene.nowMs += scene.policy.paceKnownMs;
    gain(scene, 2, 40);
    expect(swiftNumbers(scene, [1, 2, 3])).toEqual([1, 2, 3]);
    const [lease] = scene.peer(task.taskId, 1).leases;
    if (lease === undefined) throw new Error("Host 1 has no lease");
    const { leaseId, firstPiece, pieceCount } = lease;
    expect(shortenedOf(scene, 1)).toEqual([{ leaseId, pieceCount }]);
    gain(scene, 2, 40);
    expect(shortenedOf(scene, 1)).toEqual([]);
    scene.say(1, progressOf(task, { leases: [{ leaseId, firstPiece, pieceCount, readBytes: 1 }] }));
    expect(swiftNumbers(scene, [1, 2, 3])).toEqual([2, 3]);
  });

  test("judges nobody before its pace is known", () => {
    const scene = new Scene();
    for (const number of [1, 2]) begin(scene, number);
    scene.nowMs += scene.policy.paceKnownMs - 1;
    gain(scene, 1, 80);
    expect(swiftNumbers(scene, [1, 2])).toEqual([1, 2]);
    scene.nowMs += 1;
    gain(scene, 2, 2);
    expect(swiftNumbers(scene, [1, 2])).toEqual([1]);
  });

  test("takes nobody for slow who holds about what the best holds, or came late", () => {
    const scene = new Scene();
    begin(scene, 1);
    scene.nowMs += 60_000;
    gain(scene, 1, 40);
    begin(scene, 2);
    scene.nowMs += 2000;
    gain(scene, 2, 8);
    expect(swiftNumbers(scene, [1, 2])).toEqual([1, 2]);
    gain(scene, 2, 40);
    expect(swiftNumbers(scene, [1, 2])).toEqual([1, 2]);
  });

  test("names somebody however slow all are", () => {
    const scene = new Scene();
    begin(scene, 1);
    scene.nowMs += 60_000;
    gain(scene, 1, 1);
    expect(swiftNumbers(scene, [1])).toEqual([1]);
  });
});
