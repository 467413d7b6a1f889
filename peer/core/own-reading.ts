/** What a host does while no scheduler grants leases (docs/decisions/0013): when it looks round, and what it reads. Pure. */
import { addAll, addPieces, type Bitfield, emptyBitfield } from "../../schema/bitfield.ts";
import type { HostId } from "../../schema/ids.ts";
import type { PieceRun } from "../../schema/wire/peer-message.ts";
import { type OwnedRunsView, planOwnedRuns } from "./owned-runs.ts";
import type { TransferPolicy } from "./policy.ts";

export interface OwnStep {
  /** Asks neighbours what they have and read. */
  readonly looks: boolean;
  /** Reads what falls to it, and asks for digests of what neighbours have. */
  readonly reads: boolean;
}

/** @param awaySinceMs since when the scheduler is away
 *  @param lookedAtMs when the host looked round last */
export function ownStep(
  { awaySinceMs, lookedAtMs, hasNeighbours }: { awaySinceMs: number; lookedAtMs: number; hasNeighbours: boolean },
  policy: TransferPolicy,
  nowMs: number,
): OwnStep {
  if (nowMs - awaySinceMs < policy.ownReadAfterMs) return { looks: false, reads: false };
  const looks = nowMs - lookedAtMs >= policy.ownReadLookMs;
  // What neighbours read just now must be known before anything is read twice.
  const awaitsFirstLook = looks && lookedAtMs < awaySinceMs && hasNeighbours;
  return { looks, reads: !awaitsFirstLook };
}

export interface OwnReadingView extends Omit<OwnedRunsView, "offered" | "others" | "spareRuns"> {
  readonly awaySinceMs: number;
  /** Pieces that this host is reading, and in how many runs. */
  readonly reading: Bitfield;
  readonly readingRuns: number;
  readonly neighbours: readonly OwnNeighbour[];
}

/** As it told last. */
export interface OwnNeighbour {
  readonly hostId: HostId;
  readonly bitfield: Bitfield;
  readonly reading: readonly PieceRun[];
  /** When it was met, or was found to have other pieces than before. */
  readonly gainedAtMs: number;
}

/** Runs that this host begins to read now. */
export function ownRunsOf(view: OwnReadingView, policy: TransferPolicy, nowMs: number): PieceRun[] {
  const { pieceCount, ranged, neighbours, awaySinceMs } = view;
  const share = Math.ceil(policy.ownedStreamsPerTask / (neighbours.length + 1));
  const streams = ranged ? Math.min(share, policy.ownedStreamsPerHost) : 1;
  const spareRuns = streams - view.readingRuns;
  if (spareRuns <= 0) return [];
  const offered = emptyBitfield(pieceCount);
  const reading = view.reading.slice();
  for (const neighbour of neighbours) {
    addAll(offered, neighbour.bitfield);
    for (const run of neighbour.reading) addPieces(reading, run.firstPiece, run.firstPiece + run.pieceCount);
  }
  const others = neighbours.map(({ hostId, gainedAtMs }) => ({
    hostId,
    activeAtMs: Math.max(gainedAtMs, awaySinceMs + policy.ownReadAfterMs),
  }));
  return planOwnedRuns({ ...view, offered, reading, others, spareRuns }, policy, nowMs);
}
