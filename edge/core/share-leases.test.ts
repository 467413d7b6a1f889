import { describe, expect, test } from "bun:test";
import type { TaskInfo } from "../../schema/wire/task.ts";
import { DEFAULT_POLICY } from "./policy.ts";
import { aHost, announceOf, aTask, digestRun, progressOf } from "./testing/fixtures.ts";
import { Herd } from "./testing/herd.ts";
import { Scene } from "./testing/scene.ts";

const MIB = 1024 * 1024;

/** Host 1 has read 32 pieces of a task alone, and reads up to 512 more in four runs, each of them slowly since a second. */
function aLoneReader(pieces: number) {
  const task = aTask(1, pieces);
  const scene = new Scene();
  scene.greet([1]);
  scene.say(1, announceOf(task));
  scene.heard(1);
  scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 32 }] }));
  const granted = scene.told(1, "leases").flatMap((message) => message.granted);
  expect(granted.map(({ firstPiece, pieceCount }) => [firstPiece, pieceCount])).toEqual(
    [32, 160, 288, 416].map((first) => [first, 128]),
  );
  scene.nowMs += 1000;
  const read = (mebibytes: number, pieceCount = 128) =>
    scene.say(
      1,
      progressOf(task, { leases: granted.map((run) => ({ ...run, pieceCount, readBytes: mebibytes * MIB })) }),
    );
  return { task, scene, granted, read };
}

function join(scene: Scene, task: TaskInfo, ...numbers: number[]): void {
  for (const number of numbers) {
    scene.greet([number]);
    scene.say(number, announceOf(task));
  }
}

function shortenedOf(scene: Scene, number: number) {
  return scene.told(number, "leases").flatMap((message) => message.shortened ?? []);
}

describe("a host that joins when everything is granted", () => {
  test("gets the end of every long run once its reader has given it back", () => {
    const { task, scene, granted, read } = aLoneReader(544);
    read(2);
    join(scene, task, 2);
    // Each ends as many pieces after the one that is read as a host among two would be granted now.
    expect(shortenedOf(scene, 1)).toEqual(granted.map(({ leaseId }) => ({ leaseId, pieceCount: 8 + 32 })));
    expect(scene.granted(2)).toEqual([]);
    read(2.5, 41);
    expect(scene.granted(2)).toEqual([73, 74, 75, 76].map((first) => [first, 1]));
  });

  test("gets nothing of what the reader does not give back, which is asked once, and again after a while", () => {
    const { task, scene, read } = aLoneReader(544);
    read(2);
    join(scene, task, 2);
    expect(shortenedOf(scene, 1)).toHaveLength(4);
    scene.say(1, progressOf(task, { added: [{ firstPiece: 32, pieceCount: 1 }] }));
    join(scene, task, 3);
    expect(shortenedOf(scene, 1)).toEqual([]);
    expect([...scene.granted(2), ...scene.granted(3)]).toEqual([]);
    // What it keeps it is not asked for with every answer.
    read(3);
    expect(shortenedOf(scene, 1)).toEqual([]);
    scene.nowMs += DEFAULT_POLICY.leaseAskAgainMs;
    read(3);
    expect(shortenedOf(scene, 1)).toHaveLength(4);
  });

  test("asks for nothing of what takes no time to read, or of what the source has hardly begun to send", () => {
    const fast = aLoneReader(544);
    fast.read(20);
    join(fast.scene, fast.task, 2);
    expect(shortenedOf(fast.scene, 1)).toEqual([]);
    const fresh = aLoneReader(544);
    join(fresh.scene, fresh.task, 2);
    expect(shortenedOf(fresh.scene, 1)).toEqual([]);
  });
});

test("a host that was granted more than its share before others came gives it back, though something is left", () => {
  const { task, scene, read } = aLoneReader(1024);
  read(2);
  join(scene, task, 2);
  expect(shortenedOf(scene, 1)).toEqual([]);
  join(scene, task, 3);
  expect(shortenedOf(scene, 1)).toHaveLength(4);
});

test("a reader that is very slow gives back what is short too, and is asked before it loses the piece it is reading to one that is idle", () => {
  const task = aTask(1, 32);
  const scene = new Scene();
  scene.greet([1]);
  scene.say(1, announceOf(task));
  const granted = scene.told(1, "leases").flatMap((message) => message.granted);
  expect(granted).toHaveLength(4);
  scene.nowMs += 4000;
  // 16 KiB a second and stream.
  const report = (pieceCount: number) =>
    scene.say(1, progressOf(task, { leases: granted.map((run) => ({ ...run, pieceCount, readBytes: 64 * 1024 })) }));
  report(8);
  join(scene, task, 2);
  const shortened = shortenedOf(scene, 1);
  expect(shortened).toHaveLength(4);
  const kept = Math.max(...shortened.map(({ pieceCount }) => pieceCount));
  expect(kept).toBeLessThan(8);
  report(kept);
  const read = () => {
    scene.nowMs += 100;
    const added = scene.granted(2).map(([firstPiece, pieceCount]) => ({ firstPiece, pieceCount }));
    const pieces = added.flatMap((run) => Array.from({ length: run.pieceCount }, (_, n) => run.firstPiece + n));
    if (added.length > 0) scene.say(2, progressOf(task, { added, digests: digestRun(pieces) }));
    return added.length > 0;
  };
  while (read());
  expect(scene.peer(task.taskId, 2).heldCount).toBe(28);
  scene.wait(DEFAULT_POLICY.leaseEndMs);
  expect(shortenedOf(scene, 1)).toEqual(granted.map(({ leaseId }) => ({ leaseId, pieceCount: kept })));
  report(kept);
  while (read());
  expect(scene.peer(task.taskId, 2).heldCount).toBe(32);
  expect(scene.peer(task.taskId, 1).leases.size).toBe(0);
  expect(scene.told(1, "leases").flatMap((message) => message.revoked)).toHaveLength(4);
});

test("nobody takes anything over from a source that gives to the last streams what it gave to all", () => {
  const task = aTask(1, 32);
  const scene = new Scene();
  scene.greet([1]);
  scene.say(1, announceOf(task));
  const granted = scene.told(1, "leases").flatMap((message) => message.granted);
  join(scene, task, 2);
  // In the first seconds both hosts read 64 KiB/s together; then all of it comes to host 1, 25 s before it ends.
  for (let second = 1; second <= 8; second++) {
    scene.nowMs += 1000;
    if (second <= 3) scene.say(2, progressOf(task, { sourceBytes: second * 32 * 1024 }));
    const sourceBytes = (second <= 3 ? second * 32 : 96 + (second - 3) * 64) * 1024;
    const leases = granted.map((run) => ({ ...run, readBytes: second <= 3 ? 0 : sourceBytes / granted.length }));
    scene.say(1, progressOf(task, { leases, sourceBytes }));
  }
  expect(scene.told(1, "leases").flatMap(({ shortened = [], revoked }) => [...shortened, ...revoked])).toEqual([]);
});

test("a lone reader cuts off no stream for the moment in which its others have nothing left to do", () => {
  const { task, scene, granted } = aLoneReader(544);
  const [slow, ...fast] = granted;
  if (slow === undefined) throw new Error("Nothing was granted");
  const added = fast.map(({ firstPiece, pieceCount }) => ({ firstPiece, pieceCount }));
  // 24 MiB are left, which take 3 s.
  scene.say(1, progressOf(task, { added, leases: [{ ...slow, readBytes: 8 * MIB }] }));
  expect(shortenedOf(scene, 1)).toEqual([]);
});

test("a lone reader with idle streams takes over the end of a slow one", () => {
  const { task, scene, granted } = aLoneReader(544);
  const [slow, ...fast] = granted;
  if (slow === undefined) throw new Error("Nothing was granted");
  const added = fast.map(({ firstPiece, pieceCount }) => ({ firstPiece, pieceCount }));
  scene.say(1, progressOf(task, { added, leases: [{ ...slow, readBytes: 2 * MIB }] }));
  // Of the 120 pieces left a quarter stays with it, from the one it reads.
  expect(shortenedOf(scene, 1)).toEqual([{ leaseId: slow.leaseId, pieceCount: 8 + 30 }]);
  scene.say(1, progressOf(task, { leases: [{ ...slow, pieceCount: 38, readBytes: 2.25 * MIB }] }));
  expect(scene.granted(1)).toEqual([70, 100, 130].map((first) => [first, 30]));
});

describe("a host that reads a long file alone", () => {
  function read(mebibytes: number, delayMs: number) {
    const herd = new Herd(aTask(1, mebibytes * 4), DEFAULT_POLICY);
    herd.hearingMs = delayMs;
    const host = herd.join(aHost(1));
    // 320 MiB/s over four streams, reported as peers do.
    Object.assign(host, { piecesPerStep: 64, piecesPerStream: 16, reportIntervalMs: 200 });
    host.want();
    const beganAtMs = herd.nowMs;
    expect(herd.until(() => host.state === "succeeded", 60_000)).toBe(true);
    return { tookMs: herd.nowMs - beganAtMs, leastMs: (mebibytes / 320) * 1000, ...host, reads: herd.reads };
  }

  test("needs few requests and few messages, and reads every piece once", () => {
    const { requests, messagesUp, reads } = read(1024, 50);
    expect(requests).toBeLessThanOrEqual(16);
    expect(messagesUp).toBeLessThanOrEqual(32);
    expect(reads.every((count) => count === 1)).toBe(true);
  });

  test("is hardly slowed by a scheduler that is far away: no stream waits for it", () => {
    const { tookMs, leastMs } = read(2048, 100);
    // Hello and announcement take a way each before anything is granted.
    expect(tookMs - 200).toBeLessThan(leastMs * 1.05);
  });
});
