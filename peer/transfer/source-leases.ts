/** Reads the source, and only what a lease covers: one stream a lease, cut into pieces as it arrives. */
import { addPieces, type Bitfield, emptyBitfield } from "../../schema/bitfield.ts";
import type { LeaseId } from "../../schema/ids.ts";
import { pieceCountOf, pieceRange } from "../../schema/piece.ts";
import { ProblemError } from "../../schema/problem.ts";
import type { LeaseProgress } from "../../schema/wire/peer-message.ts";
import type { Lease } from "../../schema/wire/scheduler-message.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import type { Source, SourceStat } from "../source/source.ts";
import { cutPieces } from "./cut-pieces.ts";
import type { PieceIntake } from "./piece-intake.ts";
import type { PieceKeeper } from "./piece-keeper.ts";

export interface SourceLeasesComponents {
  readonly info: TaskInfo;
  readonly source: Source;
  readonly stat: SourceStat;
  readonly keeper: PieceKeeper;
  /** See `TransferPolicy`. */
  readonly backlogBytes: number;
  readonly received: () => void;
  /** A lease ended by an error that was not ours to make. */
  readonly failed: (leaseId: LeaseId, error: unknown) => void;
  /** A lease was read to its end. */
  readonly finished: (leaseId: LeaseId) => void;
  /** The end of a lease was given back some time after it was asked for. */
  readonly gaveBack: () => void;
}

interface ActiveLease {
  readonly lease: Lease;
  readonly stop: AbortController;
  readBytes: number;
  /** Of a chunk, on average over those that came lately. */
  chunkBytes: number;
  /** The next piece to come; those before it are done. */
  nextPiece: number;
  /** Where it ends: at the end of the lease, or where it was shortened to. */
  endPiece: number;
  /** Where it was asked to end before its source had sent anything. */
  askedEndPiece: number | undefined;
}

/** How much of the average the last chunk makes: one small chunk between big ones says little. */
const LAST_CHUNK_SHARE = 0.25;

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
    const { firstPiece, pieceCount } = lease;
    const endPiece = firstPiece + pieceCount;
    const active: ActiveLease = {
      lease,
      stop: new AbortController(),
      readBytes: 0,
      chunkBytes: 0,
      nextPiece: firstPiece,
      endPiece,
      askedEndPiece: undefined,
    };
    this.#active.set(lease.leaseId, active);
    void this.#read(active);
  }

  /** Gives the end of a run back, as far as it is not being read. A stream that waits for us keeps it: its source has sent
   *  megabytes of that end already, which would be read twice. Whether one does is known with its first chunk; asked a
   *  second time without that, it gives the end back. */
  shorten(leaseId: LeaseId, pieceCount: number): void {
    const active = this.#active.get(leaseId);
    if (active === undefined) return;
    const askedEndPiece = active.lease.firstPiece + pieceCount;
    if (active.readBytes > 0 || active.askedEndPiece !== undefined) this.#giveBack(active, askedEndPiece);
    else active.askedEndPiece = askedEndPiece;
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
    return [...this.#active.values()].map((active) => ({
      leaseId: active.lease.leaseId,
      firstPiece: active.lease.firstPiece,
      pieceCount: active.endPiece - active.lease.firstPiece,
      readBytes: active.readBytes,
      ...(this.#waitsForUs(active) ? { backlogBytes: Math.round(active.chunkBytes) } : {}),
    }));
  }

  /** Pieces that are still to come under a lease. */
  pieces(pieceCount: number): Bitfield {
    const bits = emptyBitfield(pieceCount);
    for (const { nextPiece, endPiece } of this.#active.values()) addPieces(bits, nextPiece, endPiece);
    return bits;
  }

  #waitsForUs({ chunkBytes }: ActiveLease): boolean {
    return chunkBytes >= this.#components.backlogBytes;
  }

  #giveBack(active: ActiveLease, askedEndPiece: number): void {
    if (this.#waitsForUs(active)) return;
    active.endPiece = Math.min(active.endPiece, Math.max(askedEndPiece, active.nextPiece + 1));
  }

  #receive(active: ActiveLease, bytes: number): void {
    const { received, gaveBack } = this.#components;
    const isFirst = active.readBytes === 0;
    active.readBytes += bytes;
    active.chunkBytes += (isFirst ? 1 : LAST_CHUNK_SHARE) * (bytes - active.chunkBytes);
    received();
    const { askedEndPiece, endPiece } = active;
    if (!isFirst || askedEndPiece === undefined) return;
    this.#giveBack(active, askedEndPiece);
    if (active.endPiece < endPiece) gaveBack();
  }

  async #read(active: ActiveLease): Promise<void> {
    const { info, source, stat, keeper, failed, finished } = this.#components;
    const { lease, stop } = active;
    let intake: PieceIntake | undefined;
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
        received: (bytes) => this.#receive(active, bytes),
      });
      for await (const { piece, bytes, last } of cut) {
        if (stop.signal.aborted) return;
        intake ??= keeper.begin(piece, "source");
        await intake.append(bytes);
        if (!last) continue;
        await keeper.finish(intake);
        intake = undefined;
        active.nextPiece = piece + 1;
        if (active.nextPiece >= active.endPiece) break;
      }
      if (active.nextPiece < active.endPiece) {
        throw new ProblemError("source-lied", `${source.displayUrl} ended before its end`);
      }
      this.#active.delete(lease.leaseId);
      finished(lease.leaseId);
    } catch (error) {
      if (stop.signal.aborted) return;
      this.#active.delete(lease.leaseId);
      failed(lease.leaseId, error);
    } finally {
      intake?.[Symbol.dispose]();
    }
  }
}
