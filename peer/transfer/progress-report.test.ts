import { describe, expect, test } from "bun:test";
import type { LeaseId, TaskId } from "../../schema/ids.ts";
import { decodePeerFrame, encodePeerFrame } from "../../schema/wire/codec.ts";
import { MAX_DIGESTS_PER_MESSAGE, MAX_RUNS_PER_MESSAGE } from "../../schema/wire/peer-message.ts";
import { digestBatches, ProgressReport, pieceRuns } from "./progress-report.ts";

const taskId = "0".repeat(64) as TaskId;
const totals = { sourceBytes: 7, peerBytes: 9 };

describe("pieceRuns()", () => {
  test("joins neighbours whatever their order", () => {
    expect(pieceRuns([5, 1, 2, 9, 3])).toEqual([
      { firstPiece: 1, pieceCount: 3 },
      { firstPiece: 5, pieceCount: 1 },
      { firstPiece: 9, pieceCount: 1 },
    ]);
  });
});

describe("digestBatches()", () => {
  const digestsOf = (pieces: readonly number[]) =>
    new Map(pieces.map((piece) => [piece, new Uint8Array(32).fill(piece % 251)]));
  const range = (count: number, step = 1) => Array.from({ length: count }, (_, n) => n * step);

  test("splits a run that is longer than a message may hold", () => {
    const batches = digestBatches(digestsOf(range(MAX_DIGESTS_PER_MESSAGE + 2)));
    expect(batches.map((runs) => runs.map((run) => [run.firstPiece, run.digests.length / 32]))).toEqual([
      [[0, MAX_DIGESTS_PER_MESSAGE]],
      [[MAX_DIGESTS_PER_MESSAGE, 2]],
    ]);
    expect(batches[1]?.[0]?.digests[0]).toBe(MAX_DIGESTS_PER_MESSAGE % 251);
  });

  test("puts many scattered pieces into few messages, none with more runs than it may have", () => {
    const batches = digestBatches(digestsOf(range(5000, 2)));
    expect(batches.map((runs) => runs.length)).toEqual([MAX_RUNS_PER_MESSAGE, 5000 - MAX_RUNS_PER_MESSAGE]);
    expect(batches.flat().map((run) => run.firstPiece)).toEqual(range(5000, 2));
  });
});

describe("ProgressReport", () => {
  test("has nothing to say until something changed, and says it once", () => {
    const report = new ProgressReport();
    expect(report.take(taskId, [], totals)).toEqual([]);
    report.added(3);
    expect(report.take(taskId, [], totals)).toEqual([
      {
        type: "progress",
        taskId,
        added: [{ firstPiece: 3, pieceCount: 1 }],
        removed: [],
        digests: [],
        leases: [],
        ...totals,
      },
    ]);
    expect(report.take(taskId, [], totals)).toEqual([]);
  });

  test("names a lease only while it grows", () => {
    const report = new ProgressReport();
    const lease = { leaseId: "a" as LeaseId, firstPiece: 0, pieceCount: 4, readBytes: 10 };
    expect(report.take(taskId, [lease], totals)[0]?.leases).toEqual([lease]);
    expect(report.take(taskId, [lease], totals)).toEqual([]);
    expect(report.take(taskId, [{ ...lease, readBytes: 11 }], totals)[0]?.leases).toHaveLength(1);
  });

  test("names a lease again whose end was given back", () => {
    const report = new ProgressReport();
    const lease = { leaseId: "a" as LeaseId, firstPiece: 0, pieceCount: 4, readBytes: 10 };
    report.take(taskId, [lease], totals);
    expect(report.take(taskId, [{ ...lease, pieceCount: 2 }], totals)[0]?.leases[0]?.pieceCount).toBe(2);
  });

  test("names a lease that the scheduler asks for, though nothing changed", () => {
    const report = new ProgressReport();
    const lease = { leaseId: "a" as LeaseId, firstPiece: 0, pieceCount: 4, readBytes: 10 };
    report.take(taskId, [lease], totals);
    report.ask(lease.leaseId);
    expect(report.take(taskId, [lease], totals)[0]?.leases).toEqual([lease]);
  });

  test("tells where readers are when one came, moved or left, and not otherwise", () => {
    const report = new ProgressReport();
    const told = (cursors: readonly number[]) =>
      report.take(taskId, [], totals, { cursors }).map(({ cursors }) => cursors);
    expect(told([])).toEqual([]);
    expect(told([3])).toEqual([[3]]);
    expect(told([3])).toEqual([]);
    expect(told([4, 9])).toEqual([[4, 9]]);
    expect(told([])).toEqual([[]]);
  });

  test("tells where readers are once more after it was told to forget what it has to say", () => {
    const report = new ProgressReport();
    report.take(taskId, [], totals, { cursors: [3] });
    report.clear();
    expect(report.take(taskId, [], totals, { cursors: [3] })[0]?.cursors).toEqual([3]);
  });

  test("tells how long nothing may be heard beside what is new, and alone that this is over", () => {
    const report = new ProgressReport();
    const told = (quietMs: number) => report.take(taskId, [], totals, { quietMs }).map(({ quietMs }) => quietMs);
    expect(told(3000)).toEqual([]);
    report.added(1);
    expect(told(3000)).toEqual([3000]);
    expect(report.toldQuietMs).toBe(3000);
    expect(told(4000)).toEqual([]);
    expect(told(0)).toEqual([undefined]);
    expect(told(0)).toEqual([]);
  });

  test("a piece that was lost after it came is reported lost", () => {
    const report = new ProgressReport();
    report.added(1);
    report.removed(1);
    const [message] = report.take(taskId, [], totals);
    expect(message?.added).toEqual([]);
    expect(message?.removed).toEqual([{ firstPiece: 1, pieceCount: 1 }]);
  });

  test("sends several messages where one would be too long", () => {
    const report = new ProgressReport();
    for (let piece = 0; piece < 2 * MAX_RUNS_PER_MESSAGE + 2; piece += 2) report.added(piece);
    const messages = report.take(taskId, [], totals);
    expect(messages.map((message) => message.added.length)).toEqual([MAX_RUNS_PER_MESSAGE, 1]);
    for (const message of messages) expect(() => decodePeerFrame(encodePeerFrame([message]))).not.toThrow();
  });
});

test("news() tells what others wait for from what was only got in trade", () => {
  const lease = { leaseId: "a-1" as LeaseId, firstPiece: 0, pieceCount: 4, readBytes: 10 };
  const report = new ProgressReport();
  expect(report.news([])).toBe("none");
  report.added(7);
  expect(report.news([])).toBe("trade");
  expect(report.news([lease])).toBe("leases");
  expect(report.news([], [3])).toBe("urgent");
  report.take(taskId, [lease], totals);
  expect(report.news([lease])).toBe("none");
  report.digest(8, new Uint8Array(32));
  expect(report.news([lease])).toBe("digests");
  report.removed(7);
  expect(report.news([lease])).toBe("urgent");
});
