/** Gathers what happened in a task since the last report, so that the scheduler hears of it in batches. */
import { PIECE_DIGEST_BYTES } from "../../schema/digest.ts";
import type { LeaseId, TaskId } from "../../schema/ids.ts";
import {
  type LeaseProgress,
  MAX_DIGESTS_PER_MESSAGE,
  type PeerMessageOf,
  type PieceRun,
} from "../../schema/wire/peer-message.ts";
import type { DigestRun } from "../../schema/wire/task.ts";

export class ProgressReport {
  #added = new Set<number>();
  #removed = new Set<number>();
  #digests = new Map<number, Uint8Array>();
  #readBytes = new Map<LeaseId, number>();

  added(piece: number): void {
    this.#removed.delete(piece);
    this.#added.add(piece);
  }

  removed(piece: number): void {
    this.#added.delete(piece);
    this.#removed.add(piece);
  }

  digest(piece: number, digest: Uint8Array): void {
    this.#digests.set(piece, digest);
  }

  clear(): void {
    this.#added.clear();
    this.#removed.clear();
    this.#digests.clear();
  }

  /** The report, or `undefined` when nothing changed; afterwards the batch is empty. `leases` are those being read. */
  take(
    taskId: TaskId,
    leases: readonly LeaseProgress[],
    totals: { readonly sourceBytes: number; readonly peerBytes: number },
  ): PeerMessageOf<"progress"> | undefined {
    const moving = leases.filter((lease) => this.#readBytes.get(lease.leaseId) !== lease.readBytes);
    this.#readBytes = new Map(leases.map((lease) => [lease.leaseId, lease.readBytes]));
    if (this.#added.size + this.#removed.size + this.#digests.size + moving.length === 0) return undefined;
    const report: PeerMessageOf<"progress"> = {
      type: "progress",
      taskId,
      added: pieceRuns(this.#added),
      removed: pieceRuns(this.#removed),
      digests: digestRuns(this.#digests),
      leases: moving,
      ...totals,
    };
    this.clear();
    return report;
  }
}

/** Runs of consecutive pieces, ascending. */
export function pieceRuns(pieces: Iterable<number>): PieceRun[] {
  const runs: { firstPiece: number; pieceCount: number }[] = [];
  for (const piece of [...pieces].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && last.firstPiece + last.pieceCount === piece) last.pieceCount++;
    else runs.push({ firstPiece: piece, pieceCount: 1 });
  }
  return runs;
}

/** Runs of digests of consecutive pieces, none longer than a message may hold. */
export function digestRuns(digests: ReadonlyMap<number, Uint8Array>): DigestRun[] {
  return pieceRuns(digests.keys()).flatMap((run) => {
    const parts: DigestRun[] = [];
    for (let first = run.firstPiece; first < run.firstPiece + run.pieceCount; first += MAX_DIGESTS_PER_MESSAGE) {
      const count = Math.min(MAX_DIGESTS_PER_MESSAGE, run.firstPiece + run.pieceCount - first);
      const bytes = new Uint8Array(count * PIECE_DIGEST_BYTES);
      for (let n = 0; n < count; n++) bytes.set(digests.get(first + n) ?? new Uint8Array(), n * PIECE_DIGEST_BYTES);
      parts.push({ firstPiece: first, digests: bytes });
    }
    return parts;
  });
}
