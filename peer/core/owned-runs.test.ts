import { describe, expect, test } from "bun:test";
import { addPiece, emptyBitfield } from "../../schema/bitfield.ts";
import type { HostId, TaskId } from "../../schema/ids.ts";
import { type OwnedRunsView, planOwnedRuns } from "./owned-runs.ts";
import { DEFAULT_TRANSFER_POLICY as POLICY } from "./policy.ts";

const PIECES = 256;
const NOW_MS = 1_000_000;
const HOSTS = Array.from({ length: 12 }, (_, n) => n.toString(16).padStart(32, "5") as HostId);

function view(hostId: HostId, more: Partial<OwnedRunsView> = {}): OwnedRunsView {
  return {
    taskId: "b".repeat(64) as TaskId,
    hostId,
    pieceCount: PIECES,
    pieceLengthBytes: POLICY.ownedRunBytes / 4,
    ranged: true,
    held: emptyBitfield(PIECES),
    offered: emptyBitfield(PIECES),
    reading: emptyBitfield(PIECES),
    others: HOSTS.filter((other) => other !== hostId).map((other) => ({ hostId: other, activeAtMs: NOW_MS })),
    spareRuns: PIECES,
    ...more,
  };
}

function piecesOf(planned: ReturnType<typeof planOwnedRuns>): number[] {
  return planned.flatMap(({ firstPiece, pieceCount }) => Array.from({ length: pieceCount }, (_, n) => firstPiece + n));
}

function setOf(pieces: readonly number[]) {
  const bits = emptyBitfield(PIECES);
  for (const piece of pieces) addPiece(bits, piece);
  return bits;
}

describe("hosts that know each other", () => {
  test("read every piece once, and each of them some", () => {
    const shares = HOSTS.map((host) => piecesOf(planOwnedRuns(view(host), POLICY, NOW_MS)));
    expect(shares.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: PIECES }, (_, n) => n));
    for (const share of shares) expect(share.length).toBeGreaterThan(0);
  });

  test("share what one of them would have read that does nothing", () => {
    const [idle, ...rest] = HOSTS;
    const idleView = { others: HOSTS.map((hostId) => ({ hostId, activeAtMs: hostId === idle ? 0 : NOW_MS })) };
    const shares = rest.map((host) =>
      piecesOf(
        planOwnedRuns(view(host, { others: idleView.others.filter((other) => other.hostId !== host) }), POLICY, NOW_MS),
      ),
    );
    expect(shares.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: PIECES }, (_, n) => n));
  });
});

test("a host that is alone reads everything, as many runs at a time as it may", () => {
  const [host] = HOSTS as [HostId];
  const planned = planOwnedRuns(view(host, { others: [], spareRuns: 3 }), POLICY, NOW_MS);
  expect(planned).toEqual([0, 4, 8].map((firstPiece) => ({ firstPiece, pieceCount: 4 })));
});

test("nobody reads what is held, on offer, or being read", () => {
  const [host] = HOSTS as [HostId];
  const known = { held: setOf([0, 1]), offered: setOf([2]), reading: setOf([5, 6]) };
  const planned = piecesOf(planOwnedRuns(view(host, { others: [], ...known, pieceCount: 8 }), POLICY, NOW_MS));
  expect(planned).toEqual([3, 4]);
});

test("a source without ranges is read by one, from its first byte", () => {
  const planned = HOSTS.flatMap((host) =>
    planOwnedRuns(view(host, { ranged: false, held: setOf([0]) }), POLICY, NOW_MS),
  );
  expect(planned).toEqual([{ firstPiece: 0, pieceCount: PIECES }]);
  const [host] = HOSTS as [HostId];
  const read = planOwnedRuns(view(host, { ranged: false, others: [], reading: setOf([9]) }), POLICY, NOW_MS);
  expect(read).toEqual([]);
});
