import { describe, expect, test } from "bun:test";
import type { LeaseId, TaskId } from "../../schema/ids.ts";
import { MAX_DIGESTS_PER_MESSAGE } from "../../schema/wire/peer-message.ts";
import { digestRuns, ProgressReport, pieceRuns } from "./progress-report.ts";

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

describe("digestRuns()", () => {
  test("splits a run that is longer than a message may hold", () => {
    const digests = new Map(
      Array.from({ length: MAX_DIGESTS_PER_MESSAGE + 2 }, (_, piece) => [piece, new Uint8Array(32).fill(piece % 251)]),
    );
    const runs = digestRuns(digests);
    expect(runs.map((run) => [run.firstPiece, run.digests.length / 32])).toEqual([
      [0, MAX_DIGESTS_PER_MESSAGE],
      [MAX_DIGESTS_PER_MESSAGE, 2],
    ]);
    expect(runs[1]?.digests[0]).toBe(MAX_DIGESTS_PER_MESSAGE % 251);
  });
});

describe("ProgressReport", () => {
  test("has nothing to say until something changed, and says it once", () => {
    const report = new ProgressReport();
    expect(report.take(taskId, [], totals)).toBeUndefined();
    report.added(3);
    expect(report.take(taskId, [], totals)).toEqual({
      type: "progress",
      taskId,
      added: [{ firstPiece: 3, pieceCount: 1 }],
      removed: [],
      digests: [],
      leases: [],
      ...totals,
    });
    expect(report.take(taskId, [], totals)).toBeUndefined();
  });

  test("names a lease only while it grows", () => {
    const report = new ProgressReport();
    const lease = { leaseId: "a" as LeaseId, firstPiece: 0, pieceCount: 4, readBytes: 10 };
    expect(report.take(taskId, [lease], totals)?.leases).toEqual([lease]);
    expect(report.take(taskId, [lease], totals)).toBeUndefined();
    expect(report.take(taskId, [{ ...lease, readBytes: 11 }], totals)?.leases).toHaveLength(1);
  });

  test("a piece that was lost after it came is reported lost", () => {
    const report = new ProgressReport();
    report.added(1);
    report.removed(1);
    const message = report.take(taskId, [], totals);
    expect(message?.added).toEqual([]);
    expect(message?.removed).toEqual([{ firstPiece: 1, pieceCount: 1 }]);
  });
});
