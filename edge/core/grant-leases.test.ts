import { describe, expect, test } from "bun:test";
import { announceOf, aTask, digestRun, hostIdOf, PIECE_BYTES, progressOf } from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

const MIB = 1024 * 1024;
const everyPiece = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);

/** Hosts 1 to `count` want the task, one after the other. */
function aScene(task: ReturnType<typeof aTask>, count: number, overrides = {}): Scene {
  const scene = new Scene(overrides);
  for (let number = 1; number <= count; number++) {
    scene.greet([number]);
    scene.say(number, announceOf(task));
  }
  return scene;
}

describe("grantLeases()", () => {
  test("keeps four streams of a lone host busy, in runs that grow fast and divide what is left", () => {
    const task = aTask(1, 1024);
    const scene = aScene(task, 1);
    expect(scene.granted(1)).toEqual([0, 8, 16, 24].map((first) => [first, 8]));
    scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 32 }] }));
    expect(scene.granted(1)).toEqual([32, 160, 288, 416].map((first) => [first, 128]));
    scene.say(1, progressOf(task, { added: [{ firstPiece: 32, pieceCount: 512 }] }));
    expect(scene.granted(1)).toEqual([544, 664, 784, 904].map((first) => [first, 120]));
  });

  test("gives a lone host no longer runs than leaseLongRunBytes", () => {
    const task = aTask(1, 8192);
    const scene = aScene(task, 1);
    scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 32 }] }));
    scene.granted(1);
    scene.say(1, progressOf(task, { added: [{ firstPiece: 32, pieceCount: 512 }] }));
    expect(scene.granted(1).map(([, count]) => (count * PIECE_BYTES) / MIB)).toEqual([256, 256, 256, 256]);
  });

  test("does not cut what one request brings in no time into four", () => {
    const task = aTask(1, 8);
    expect(aScene(task, 1).granted(1)).toEqual([[0, 8]]);
  });

  test("lengthens the runs of hosts among others as they prove themselves", () => {
    const task = aTask(1, 4096);
    const scene = aScene(task, 2);
    const runsOf = (number: number) => scene.granted(number).map(([, count]) => (count * PIECE_BYTES) / MIB);
    expect(runsOf(2)).toEqual([0.25, 0.25, 0.25, 0.25]);
    for (const read of [1, 5, 25]) {
      const leased = [...scene.peer(task.taskId, 2).leases];
      scene.say(2, progressOf(task, { added: leased }));
      expect(runsOf(2)).toEqual(Array(4).fill(Math.min(16, read)));
    }
  });

  test("grants the next run while the last part of one is still to come", () => {
    const task = aTask(1, 1024);
    const scene = aScene(task, 1);
    const [lease] = scene.told(1, "leases").flatMap((message) => message.granted);
    if (lease === undefined) throw new Error("Nothing was granted");
    const read = (megabytes: number) =>
      scene.say(1, progressOf(task, { leases: [{ ...lease, readBytes: megabytes * MIB }] }));
    scene.nowMs += 1000;
    read(1);
    expect(scene.granted(1)).toEqual([]);
    scene.nowMs += 800;
    read(1.75);
    expect(scene.granted(1)).toEqual([[32, 8]]);
    expect(scene.peer(task.taskId, 1).leases.size).toBe(5);
  });

  test("grants the next run in the answer to the report that finished one", () => {
    const task = aTask(1, 1024);
    const scene = aScene(task, 1);
    scene.granted(1);
    scene.say(1, progressOf(task, { added: [{ firstPiece: 1, pieceCount: 7 }] }));
    expect(scene.granted(1)).toEqual([]);
    scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 1 }] }));
    expect(scene.granted(1)).toEqual([[32, 32]]);
  });

  test("keeps within the bytes one host among others may have outstanding", () => {
    const task = aTask(1, 100, { pieceLengthBytes: 16 * MIB, sizeBytes: 100 * 16 * MIB });
    const scene = aScene(task, 2, { leaseRunsPerHost: 16, sourceStreamsPerTask: 64, leaseBytesPerHost: 64 * MIB });
    expect(scene.granted(2).map(([, count]) => count)).toEqual([1, 1, 1, 1]);
  });

  test("keeps within the streams one source may bear, and shares them", () => {
    const task = aTask(1, 4096);
    const scene = aScene(task, 32);
    const runs = everyPiece(1, 32).map((number) => scene.granted(number).length);
    expect(runs.reduce((sum, count) => sum + count, 0)).toBe(16);
    expect(scene.task(task.taskId).leases.size).toBe(16);
  });

  test("gives a stream that becomes free to a host that has had none", () => {
    const task = aTask(1, 4096);
    const scene = aScene(task, 32);
    for (let number = 1; number <= 32; number++) scene.granted(number);
    const [lease] = scene.task(task.taskId).leases.values();
    if (lease === undefined) throw new Error("Nothing was granted");
    const { firstPiece, pieceCount } = lease;
    const reader = everyPiece(1, 32).find((number) => hostIdOf(number) === lease.peer.host.info.hostId) ?? 0;
    scene.say(reader, progressOf(task, { added: [{ firstPiece, pieceCount }] }));
    const granted = everyPiece(1, 32).filter((number) => scene.granted(number).length > 0);
    expect(granted.length).toBe(1);
    expect(scene.peer(task.taskId, granted[0] ?? 0).grantedPieceCount).toBe(
      scene
        .peer(task.taskId, granted[0] ?? 0)
        .leases.values()
        .next().value?.pieceCount ?? 0,
    );
  });

  test("makes runs short when pieces are few for many hosts", () => {
    const scene = new Scene();
    const task = aTask(1, 16);
    scene.greet([1, 2, 3, 4]);
    // None of them may read until the host that has it all is gone.
    scene.greet([5]);
    scene.say(5, announceOf(task, { wanting: false, have: everyPiece(0, 16) }));
    for (const number of [1, 2, 3, 4]) scene.say(number, announceOf(task));
    scene.say(5, { type: "bye" });
    const runs = [1, 2, 3, 4].flatMap((number) => scene.granted(number));
    expect(runs.map(([, count]) => count)).toEqual(Array(16).fill(1));
  });

  test("gives a source without ranges to one host, whole", () => {
    const task = aTask(1, 1000, { ranged: false });
    const scene = aScene(task, 3);
    expect([1, 2, 3].map((number) => scene.granted(number))).toEqual([[[0, 1000]], [], []]);
  });

  test("starts a source without ranges from its first byte again when its reader fails", () => {
    const task = aTask(1, 1000, { ranged: false });
    const scene = aScene(task, 2);
    scene.say(
      1,
      progressOf(task, { added: [{ firstPiece: 0, pieceCount: 10 }], digests: digestRun(everyPiece(0, 10)) }),
    );
    scene.say(1, { type: "bye" });
    expect(scene.granted(2)).toEqual([[0, 1000]]);
  });

  test("grants nothing of a task everybody can get from a holder", () => {
    const task = aTask(1, 8);
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.say(1, announceOf(task, { wanting: false, have: everyPiece(0, 8) }));
    scene.say(2, announceOf(task));
    expect(scene.granted(2)).toEqual([]);
  });

  test("grants nothing of an empty task, which is complete at once", () => {
    const task = aTask(1, 0);
    const scene = aScene(task, 1);
    expect(scene.granted(1)).toEqual([]);
    expect(scene.peer(task.taskId, 1).state).toBe("succeeded");
    expect(scene.task(task.taskId).state).toBe("succeeded");
  });

  test("grants nothing to a host whose channel is lost, and the rest to those who are there", () => {
    const task = aTask(1, 1024);
    const scene = aScene(task, 1);
    scene.granted(1);
    scene.loseChannel(1);
    scene.greet([2]);
    scene.say(2, announceOf(task));
    expect(scene.granted(2)[0]?.[0]).toBe(32);
  });

  describe("with seeds", () => {
    const task = aTask(1, 1024);

    function withSeed(): Scene {
      const scene = new Scene();
      scene.greet([100], { role: "seed" });
      scene.greet([1, 2]);
      scene.say(1, announceOf(task));
      scene.say(2, announceOf(task));
      return scene;
    }

    test("gives seeds the source before anyone else", () => {
      const scene = withSeed();
      expect([...scene.granted(1), ...scene.granted(2)]).toEqual([]);
      scene.wait(500);
      scene.say(100, announceOf(task));
      expect(scene.granted(100).length).toBe(4);
      scene.wait(5_000);
      expect([...scene.granted(1), ...scene.granted(2)]).toEqual([]);
    });

    test("serves everybody when the seed does not come in time", () => {
      const scene = withSeed();
      scene.wait(scene.policy.seedGraceMs - 1);
      expect(scene.granted(1)).toEqual([]);
      scene.wait(1);
      expect(scene.granted(1).length + scene.granted(2).length).toBeGreaterThan(0);
    });

    test("serves everybody as soon as the seed fails at the source", () => {
      const scene = withSeed();
      scene.say(100, announceOf(task));
      const leaseIds = scene.told(100, "leases").flatMap((message) => message.granted.map((lease) => lease.leaseId));
      const problem = { code: "source-forbidden", message: "403" } as const;
      scene.say(100, { type: "return-leases", taskId: task.taskId, leaseIds, problem });
      expect(scene.granted(100)).toEqual([]);
      expect(scene.granted(1).length).toBeGreaterThan(0);
    });

    test("serves everybody as soon as the seed loses its channel", () => {
      const scene = withSeed();
      scene.say(100, announceOf(task));
      scene.granted(100);
      scene.loseChannel(100);
      const runs = [...scene.granted(1), ...scene.granted(2)];
      expect(Math.min(...runs.map(([first]) => first))).toBe(32);
    });

    test("does not wait for a seed that failed at this task a moment ago", () => {
      const scene = withSeed();
      scene.say(100, announceOf(task));
      scene.say(100, { type: "finish", taskId: task.taskId, state: "failed", sourceBytes: 0, peerBytes: 0 });
      scene.say(1, { type: "bye" });
      scene.say(2, { type: "bye" });
      scene.greet([3]);
      scene.heard(3);
      scene.say(3, announceOf(task));
      expect(scene.granted(3).length).toBe(4);
    });

    test("lets a seed read for itself", () => {
      const scene = new Scene();
      scene.greet([100], { role: "seed" });
      scene.say(100, announceOf(task));
      expect(scene.granted(100).length).toBe(4);
    });
  });
});
