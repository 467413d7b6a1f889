import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { lateAtAgeMs } from "./end-game.ts";
import { DEFAULT_POLICY, type Policy } from "./policy.ts";
import { announceOf, aTask, digestRun, progressOf } from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

const { leaseEndMs, leaseSooner, leaseSlowMs, leaseMuchSooner, frozenRecheckMs, paceKnownMs } = DEFAULT_POLICY;

const MIB = 1024 * 1024;
const bytes = fc.integer({ min: 1, max: 64 * MIB });
const afreshMs = fc.integer({ min: 1, max: 100_000 });

/** How long it has to go at the age at which it is late. */
function leftMs(readBytes: number, unreadBytes: number, isSlow: boolean, afresh: number): number {
  const ageMs = lateAtAgeMs({ readBytes, unreadBytes, isSlow }, afresh, DEFAULT_POLICY);
  return (unreadBytes * ageMs) / readBytes;
}

describe("lateAtAgeMs()", () => {
  test("waits until a slow host has longer to go than leaseEndMs and leaseSooner times as long as another", () => {
    fc.assert(
      fc.property(bytes, bytes, afreshMs, (read, unread, afresh) => {
        expect(leftMs(read, unread, true, afresh)).toBeCloseTo(Math.max(leaseEndMs, leaseSooner * afresh), 3);
        expect(leftMs(read, unread, false, afresh)).toBeCloseTo(Math.max(leaseSlowMs, leaseMuchSooner * afresh), 3);
      }),
    );
  });

  test("is the later the more was read, and the faster the less is left", () => {
    fc.assert(
      fc.property(bytes, bytes, bytes, fc.boolean(), afreshMs, (read, unread, more, isSlow, afresh) => {
        const late = (readBytes: number, unreadBytes: number) =>
          lateAtAgeMs({ readBytes, unreadBytes, isSlow }, afresh, DEFAULT_POLICY);
        expect(late(read + more, unread)).toBeGreaterThanOrEqual(late(read, unread));
        expect(late(read, unread + more)).toBeLessThanOrEqual(late(read, unread));
      }),
    );
  });

  test("is never for what is read, nor for a host that is not slow and whose source has not answered", () => {
    const late = (readBytes: number, unreadBytes: number, isSlow: boolean) =>
      lateAtAgeMs({ readBytes, unreadBytes, isSlow }, 100, DEFAULT_POLICY);
    expect(late(MIB, 0, true)).toBe(Number.POSITIVE_INFINITY);
    expect(late(0, MIB, false)).toBe(Number.POSITIVE_INFINITY);
    expect(late(0, MIB, true)).toBe(leaseEndMs);
  });
});

/** Host 1 was given the first runs, and is on a slow line; hosts 2 and 3 have read all the rest. Host 1 has one piece
 *  under way in each of its runs. */
function anEnd(overrides: Partial<Policy> = { leaseTakenShare: 1 }) {
  const task = aTask(1, 64);
  const scene = new Scene(overrides);
  scene.greet([1, 2, 3]);
  scene.say(1, announceOf(task));
  const held = scene.told(1, "leases").flatMap((message) => message.granted);
  for (const number of [2, 3]) scene.say(number, announceOf(task));
  const readOn = (number: number) => {
    const added = scene.granted(number).map(([firstPiece, pieceCount]) => ({ firstPiece, pieceCount }));
    const pieces = added.flatMap((run) => Array.from({ length: run.pieceCount }, (_, n) => run.firstPiece + n));
    if (added.length > 0) scene.say(number, progressOf(task, { added, digests: digestRun(pieces) }));
    return pieces;
  };
  const state = (readBytes: number, more: { backlogBytes?: number } = {}) =>
    scene.say(1, progressOf(task, { leases: held.map((run) => ({ ...run, pieceCount: 1, readBytes, ...more })) }));
  const goOn = () => {
    scene.nowMs += 100;
    return [2, 3].flatMap(readOn).length > 0;
  };
  for (let passed = 0; passed < paceKnownMs; passed += 100) goOn();
  // It gives back what it has not begun, as it is slow beside the others.
  state(0.6 * task.pieceLengthBytes);
  while (goOn());
  const isLeased = () => scene.peer(task.taskId, 1).leases.size;
  const asked = () => scene.told(1, "leases").flatMap(({ shortened = [] }) => shortened);
  return { task, scene, held, readOn, state, isLeased, asked };
}

describe("the last pieces of a herd", () => {
  test("are taken from a slow host that says it has long to go, by a host that has nothing to do", () => {
    const { task, scene, held, readOn, state, isLeased, asked } = anEnd();
    expect(scene.task(task.taskId).pieces.leasableCount).toBe(0);
    expect(isLeased()).toBe(held.length);
    asked();
    scene.wait(1000);
    expect(asked().map(({ leaseId }) => leaseId)).toEqual(held.map(({ leaseId }) => leaseId));
    state(0.6 * task.pieceLengthBytes);
    expect(isLeased()).toBe(0);
    expect(scene.told(1, "leases").flatMap(({ revoked }) => revoked)).toHaveLength(held.length);
    expect([...readOn(2), ...readOn(3)].sort((a, b) => a - b)).toEqual(held.map(({ firstPiece }) => firstPiece));
    expect(scene.task(task.taskId).pieces.unheldCount).toBe(0);
    expect(scene.swarm.tallies.leasesEnded.slow).toBe(held.length);
  });

  test("are left to a slow host that says it is nearly done", () => {
    const { task, scene, held, state, isLeased } = anEnd();
    scene.wait(1000);
    state(0.9 * task.pieceLengthBytes);
    expect(isLeased()).toBe(held.length);
  });

  test("are taken so only as far as few enough bytes are read twice, those first of which least was read", () => {
    const { task, scene, held, isLeased } = anEnd({});
    scene.wait(1000);
    const read = (at: number) => (at === 2 ? 0.6 : 0.61) * task.pieceLengthBytes;
    scene.say(1, progressOf(task, { leases: held.map((run, at) => ({ ...run, pieceCount: 1, readBytes: read(at) })) }));
    expect(isLeased()).toBe(held.length - 1);
    expect([...scene.granted(2), ...scene.granted(3)]).toEqual([[held[2]?.firstPiece ?? -1, 1]]);
  });

  test("are left to a busy host that said a while ago that its source had sent more than it took", () => {
    const { task, scene, held, state, isLeased } = anEnd();
    state(0.6 * task.pieceLengthBytes, { backlogBytes: 128 * 1024 });
    scene.wait(1000);
    state(0.6 * task.pieceLengthBytes);
    expect(isLeased()).toBe(held.length);
    // Later that is asked anew.
    scene.wait(leaseSlowMs);
    scene.wait(frozenRecheckMs);
    expect(isLeased()).toBe(0);
  });

  test("are taken from a slow host that does not say how far it is", () => {
    const { scene, held, isLeased } = anEnd();
    scene.wait(1000);
    expect(isLeased()).toBe(held.length);
    scene.wait(frozenRecheckMs);
    expect(isLeased()).toBe(0);
  });
});
