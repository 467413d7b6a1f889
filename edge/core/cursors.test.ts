import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { PeerMessageOf } from "../../schema/wire/peer-message.ts";
import { DEFAULT_POLICY } from "./policy.ts";
import { aHost, announceOf, aTask, hostIdOf, PIECE_BYTES, progressOf } from "./testing/fixtures.ts";
import { Herd } from "./testing/herd.ts";
import { Scene } from "./testing/scene.ts";

const task = aTask(1, 4096);
const MIB = 1024 * 1024;
const SHORT = DEFAULT_POLICY.leaseCursorBytes / PIECE_BYTES;

function aReader(cursors: readonly number[], more: Partial<PeerMessageOf<"announce">> = {}): Scene {
  const scene = new Scene();
  scene.greet([1]);
  scene.say(1, { ...announceOf(task), ...more, cursors: [...cursors] });
  return scene;
}

function shortenedOf(scene: Scene, number: number) {
  return scene.told(number, "leases").flatMap((message) => message.shortened ?? []);
}

describe("a reader in the middle of a file", () => {
  test("gets the first run, a short one, and the next ones follow it, each as long as it is far from the reader", () => {
    expect(aReader([1000]).granted(1)).toEqual([
      [1000, SHORT],
      [1002, 2],
      [1004, 4],
      [1008, 8],
    ]);
  });

  test("gets one piece at a time where pieces are long, so that several streams bring the first", () => {
    const long = aTask(2, 640, { pieceLengthBytes: 16 * MIB, sizeBytes: 640 * 16 * MIB });
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, { ...announceOf(long), cursors: [320] });
    expect(scene.granted(1)).toEqual([320, 321, 322, 323].map((piece) => [piece, 1]));
  });

  test("waits for nothing that its host holds: what it lacks first is read first", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, { ...announceOf(task, { have: [10, 11, 12] }), cursors: [10] });
    expect(scene.granted(1)[0]).toEqual([13, SHORT]);
  });

  test("that comes later waits for none of the streams its host has", () => {
    const scene = aReader([0]);
    scene.granted(1);
    scene.say(1, progressOf(task, { cursors: [0, 2000] }));
    expect(scene.granted(1)).toEqual([[2000, SHORT]]);
    expect(scene.peer(task.taskId, 1).leases.size).toBe(DEFAULT_POLICY.leaseRunsPerHost + 1);
  });

  test("that comes into what a long run would come to much later has it end there", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task));
    scene.heard(1);
    scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 32 }] }));
    const [first] = scene.told(1, "leases").flatMap((message) => message.granted);
    if (first === undefined) throw new Error("Nothing was granted");
    expect([first.firstPiece, first.pieceCount]).toEqual([32, 128]);
    scene.say(1, progressOf(task, { cursors: [100] }));
    expect(shortenedOf(scene, 1)).toEqual([{ leaseId: first.leaseId, pieceCount: 68 }]);
    scene.say(1, progressOf(task, { leases: [{ ...first, pieceCount: 68, readBytes: PIECE_BYTES }] }));
    expect(scene.granted(1)[0]).toEqual([100, SHORT]);
  });

  test("near what is being read lets the stream come to it", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task));
    scene.heard(1);
    scene.say(1, progressOf(task, { cursors: [5] }));
    expect(shortenedOf(scene, 1)).toEqual([]);
  });

  test("that a fast stream comes to in a moment lets it come", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task));
    scene.heard(1);
    scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 32 }] }));
    const [first] = scene.told(1, "leases").flatMap((message) => message.granted);
    if (first === undefined) throw new Error("Nothing was granted");
    scene.nowMs += 200;
    scene.say(1, progressOf(task, { leases: [{ ...first, readBytes: 32 * PIECE_BYTES }], cursors: [100] }));
    expect(shortenedOf(scene, 1)).toEqual([]);
  });

  test("near another gets runs of its own: none goes over the place of a reader", () => {
    const granted = aReader([1000, 1003]).granted(1);
    expect(granted.slice(0, 3)).toEqual([
      [1000, SHORT],
      [1003, SHORT],
      [1002, 1],
    ]);
  });

  test("shares the streams with the other readers of its host: the one with the least on its way comes first", () => {
    const granted = aReader([1000, 3000]).granted(1);
    const near = (cursor: number) => granted.filter(([first]) => first >= cursor && first < cursor + 100).length;
    expect([near(1000), near(3000)]).toEqual([2, 2]);
  });

  test("is read for by the seed while the seed alone may read", () => {
    const scene = new Scene();
    scene.greet([100], { role: "seed" });
    scene.say(100, announceOf(task));
    scene.granted(100);
    scene.greet([1]);
    scene.say(1, { ...announceOf(task), cursors: [2000] });
    expect(scene.granted(1)).toEqual([]);
    expect(scene.granted(100)).toEqual([[2000, SHORT]]);
  });

  test("is forgotten when it has gone, or its host wants the task no more", () => {
    const scene = aReader([1000]);
    const { reading } = scene.task(task.taskId);
    scene.say(1, progressOf(task, { cursors: [] }));
    expect(reading.size).toBe(0);
    scene.say(1, progressOf(task, { cursors: [7] }));
    scene.say(1, progressOf(task));
    expect(reading.size).toBe(1);
    scene.say(1, announceOf(task, { wanting: false }));
    expect(reading.size).toBe(0);
  });
});

test("wherever readers of a lone host are, what each needs first is granted at once, before anything else", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 4095 }), { minLength: 1, maxLength: 4 }), (cursors) => {
      const granted = aReader(cursors).granted(1);
      const covers = (piece: number) => granted.findIndex(([first, count]) => piece >= first && piece < first + count);
      for (const cursor of cursors) expect(covers(cursor)).toBeGreaterThanOrEqual(0);
      const elsewhere = granted.findIndex(([first]) => cursors.every((cursor) => first < cursor));
      if (elsewhere >= 0) expect(Math.max(...cursors.map(covers))).toBeLessThan(elsewhere);
    }),
    { numRuns: 100 },
  );
});

test("readers that begin and move anywhere in a herd get it all, and the source is read once", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ host: fc.integer({ min: 1, max: 5 }), piece: fc.integer({ min: 0, max: 299 }) }), {
        maxLength: 8,
      }),
      fc.boolean(),
      fc.integer({ min: 1, max: 1000 }),
      (moves, withSeed, seed) => {
        const herd = new Herd(aTask(1, 300), DEFAULT_POLICY, seed);
        herd.hearingMs = 50;
        if (withSeed) herd.join(aHost(100, { role: "seed" }));
        for (let number = 1; number <= 5; number++) herd.join(aHost(number)).want();
        for (const { host, piece } of moves) {
          herd.hosts.get(hostIdOf(host))?.readFrom(piece);
          herd.step();
          herd.step();
        }
        const normal = [...herd.hosts.values()].filter((host) => host.info.role === "normal");
        expect(herd.until(() => normal.every((host) => host.state === "succeeded"), 60_000)).toBe(true);
        expect(herd.reads.every((count) => count === 1)).toBe(true);
      },
    ),
    { numRuns: 25 },
  );
});

test("a reader in the middle of a long cold file has its first piece long before the rest", () => {
  const herd = new Herd(task, DEFAULT_POLICY);
  const host = herd.join(aHost(1));
  host.readFrom(2048);
  host.want();
  herd.exchange();
  herd.step();
  expect(host.cursor).toBeGreaterThan(2048);
});
