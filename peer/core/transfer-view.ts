/** What a host plans its next requests by. */
import type { Bitfield } from "../../schema/bitfield.ts";
import type { HostId, TaskId } from "../../schema/ids.ts";
import type { Member } from "./across.ts";

/** A neighbour; its bitfield is what it offers. */
export interface ParentView extends Member {
  readonly activeRequests: number;
  /** Not asked before this moment. */
  readonly restUntilMs: number;
  /** How long it took over the last piece it brought, or that another brought sooner; `undefined` when there was none yet. */
  readonly lastPieceMs: number | undefined;
}

/** A piece that was asked for and has not come yet. */
export interface InFlight {
  readonly parents: readonly HostId[];
  readonly sinceMs: number;
}

export interface TransferView {
  readonly taskId: TaskId;
  /** This host. */
  readonly hostId: HostId;
  readonly idc: string;
  /** When it began, or got a piece last. */
  readonly gainedAtMs: number;
  readonly pieceCount: number;
  readonly pieceLengthBytes: number;
  readonly held: Bitfield;
  /** Pieces whose digest is known: nothing else can be verified, so nothing else is asked for. */
  readonly verifiable: Bitfield;
  /** Pieces that come from the source under a lease of ours. */
  readonly leased: Bitfield;
  /** Streams of the source that bring them. */
  readonly leaseCount: number;
  readonly inFlight: ReadonlyMap<number, InFlight>;
  readonly parents: readonly ParentView[];
  /** What they offer together, where that is known without a look at each. */
  readonly offered?: Bitfield;
  /** See `AcrossView`. */
  readonly scarceSinceMs: Map<number, number>;
  /** Requests that what all downloads share has left for this one. */
  readonly spareRequests: number;
  /** Next pieces of readers who take the content in order; empty when nobody reads. */
  readonly cursors: readonly number[];
}

export interface PieceRequest {
  readonly hostId: HostId;
  readonly piece: number;
  /** A second request for a piece that is late. */
  readonly hedge: boolean;
}
