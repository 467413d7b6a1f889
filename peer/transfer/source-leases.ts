/** Reads the source, and only what a lease covers: one stream a lease, cut into pieces as it arrives. */
import { addPiece, type Bitfield, emptyBitfield } from "../../schema/bitfield.ts";
import type { LeaseId } from "../../schema/ids.ts";
import { pieceCountOf, pieceRange } from "../../schema/piece.ts";
import { ProblemError } from "../../schema/problem.ts";
import type { LeaseProgress } from "../../schema/wire/peer-message.ts";
import type { Lease } from "../../schema/wire/scheduler-message.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import type { Source, SourceStat } from "../source/source.ts";
import { cutPieces } from "./cut-pieces.ts";

export interface SourceLeasesComponents {
  readonly info: TaskInfo;
  readonly source: Source;
  readonly stat: SourceStat;
  /** Verifies and keeps one piece. @throws ProblemError */
  readonly keep: (piece: number, bytes: Uint8Array) => Promise<void>;
  readonly received: () => void;
  /** A lease ended by an error that was not ours to make. */
  readonly failed: (leaseId: LeaseId, error: unknown) => void;
  /** A lease was read to its end. */
  readonly finished: (leaseId: LeaseId) => void;
}

interface ActiveLease {
  readonly lease: Lease;
  readonly stop: AbortController;
  readBytes: number;
  /** The next piece to come; those before it are done. */
  nextPiece: number;
}

export class SourceLeases {
  #components: SourceLeasesComponents;
  #active = new Map<LeaseId, ActiveLease>();

  constructor(components: SourceLeasesComponents) {
    this.#components = components;
  }

  get count(): number {
    return this.#active.size;
  }

  /** Starts reading; a lease that is being read already is left as it is. */
  grant(lease: Lease): void {
    if (this.#active.has(lease.leaseId)) return;
    const active: ActiveLease = { lease, stop: new AbortController(), readBytes: 0, nextPiece: lease.firstPiece };
    this.#active.set(lease.leaseId, active);
    void this.#read(active);
  }

  revoke(leaseIds: readonly LeaseId[]): void {
    for (const leaseId of leaseIds) {
      this.#active.get(leaseId)?.stop.abort();
      this.#active.delete(leaseId);
    }
  }

  /** Ids of the leases that were cut off. */
  close(): LeaseId[] {
    const leaseIds = [...this.#active.keys()];
    this.revoke(leaseIds);
    return leaseIds;
  }

  progress(): LeaseProgress[] {
    return [...this.#active.values()].map(({ lease, readBytes }) => ({
      leaseId: lease.leaseId,
      firstPiece: lease.firstPiece,
      pieceCount: lease.pieceCount,
      readBytes,
    }));
  }

  /** Pieces that are still to come under a lease. */
  pieces(pieceCount: number): Bitfield {
    const bits = emptyBitfield(pieceCount);
    for (const { lease, nextPiece } of this.#active.values()) {
      for (let piece = nextPiece; piece < lease.firstPiece + lease.pieceCount; piece++) addPiece(bits, piece);
    }
    return bits;
  }

  async #read(active: ActiveLease): Promise<void> {
    const { info, source, stat, keep, received, failed, finished } = this.#components;
    const { lease, stop } = active;
    try {
      if (lease.firstPiece + lease.pieceCount > pieceCountOf(info.sizeBytes, info.pieceLengthBytes)) {
        throw new ProblemError("bad-message", "The lease covers pieces the task does not have");
      }
      const { start } = pieceRange(lease.firstPiece, info.sizeBytes, info.pieceLengthBytes);
      const { end } = pieceRange(lease.firstPiece + lease.pieceCount - 1, info.sizeBytes, info.pieceLengthBytes);
      const stream = source.read({ start, end }, { signal: stop.signal, expect: stat });
      const cut = cutPieces(stream, {
        firstPiece: lease.firstPiece,
        pieceCount: lease.pieceCount,
        sizeBytes: info.sizeBytes,
        pieceLengthBytes: info.pieceLengthBytes,
        received: (bytes) => {
          active.readBytes += bytes;
          received();
        },
      });
      for await (const { piece, bytes } of cut) {
        if (stop.signal.aborted) return;
        await keep(piece, bytes);
        active.nextPiece = piece + 1;
      }
      if (active.nextPiece < lease.firstPiece + lease.pieceCount) {
        throw new ProblemError("source-lied", `${source.displayUrl} ended before its end`);
      }
      this.#active.delete(lease.leaseId);
      finished(lease.leaseId);
    } catch (error) {
      if (stop.signal.aborted) return;
      this.#active.delete(lease.leaseId);
      failed(lease.leaseId, error);
    }
  }
}
