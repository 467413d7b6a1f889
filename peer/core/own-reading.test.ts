import { describe, expect, test } from "bun:test";
import { addPieces, emptyBitfield } from "../../schema/bitfield.ts";
import type { HostId, TaskId } from "../../schema/ids.ts";
import { type OwnReadingView, ownRunsOf, ownStep } from "./own-reading.ts";
import { DEFAULT_TRANSFER_POLICY as POLICY } from "./policy.ts";

const AWAY_MS = 1_000_000;
const READY_MS = AWAY_MS + POLICY.ownReadAfterMs;
const PIECES = 64;
const [HOST, OTHER] = ["1", "2"].map((digit) => digit.repeat(32)) as [HostId, HostId];

describe("ownStep()", () => {
  const before = { awaySinceMs: AWAY_MS, lookedAtMs: Number.NEGATIVE_INFINITY, hasNeighbours: true };

  test("leaves a scheduler that is only restarted the time to come back", () => {
    expect(ownStep(before, POLICY, READY_MS - 1)).toEqual({ looks: false, reads: false });
  });

  test("looks round first, and reads once the answers could come", () => {
    expect(ownStep(before, POLICY, READY_MS)).toEqual({ looks: true, reads: false });
    const looked = { ...before, lookedAtMs: READY_MS };
    expect(ownStep(looked, POLICY, READY_MS + 250)).toEqual({ looks: false, reads: true });
    expect(ownStep(looked, POLICY, READY_MS + POLICY.ownReadLookMs)).toEqual({ looks: true, reads: true });
  });

  test("waits for nobody where there are no neighbours", () => {
    expect(ownStep({ ...before, hasNeighbours: false }, POLICY, READY_MS)).toEqual({ looks: true, reads: true });
  });
});

describe("ownRunsOf()", () => {
  const view: OwnReadingView = {
    taskId: "b".repeat(64) as TaskId,
    hostId: HOST,
    pieceCount: PIECES,
    pieceLengthBytes: POLICY.ownedRunBytes,
    ranged: true,
    held: emptyBitfield(PIECES),
    awaySinceMs: AWAY_MS,
    reading: emptyBitfield(PIECES),
    readingRuns: 0,
    neighbours: [],
  };

  test("reads no more runs at a time than a host may, with those it is reading", () => {
    expect(ownRunsOf(view, POLICY, READY_MS).length).toBe(POLICY.ownedStreamsPerHost);
    expect(ownRunsOf({ ...view, readingRuns: POLICY.ownedStreamsPerHost - 1 }, POLICY, READY_MS).length).toBe(1);
    expect(ownRunsOf({ ...view, ranged: false, readingRuns: 1 }, POLICY, READY_MS)).toEqual([]);
  });

  test("reads nothing that a neighbour has or is reading", () => {
    const bitfield = emptyBitfield(PIECES);
    addPieces(bitfield, 0, PIECES / 2);
    const reading = [{ firstPiece: PIECES / 2, pieceCount: PIECES / 2 }];
    const neighbours = [{ hostId: OTHER, bitfield, reading, gainedAtMs: AWAY_MS }];
    expect(ownRunsOf({ ...view, neighbours }, POLICY, READY_MS)).toEqual([]);
  });

  test("takes over what falls to a neighbour that got nothing for long", () => {
    const idle = [{ hostId: OTHER, bitfield: emptyBitfield(PIECES), reading: [], gainedAtMs: AWAY_MS }];
    const first = (nowMs: number) =>
      ownRunsOf({ ...view, neighbours: idle }, POLICY, nowMs).map((run) => run.firstPiece);
    expect(first(READY_MS)).not.toEqual([0, 1, 2, 3]);
    expect(first(READY_MS + POLICY.ownerPatienceMs)).toEqual([0, 1, 2, 3]);
  });
});
