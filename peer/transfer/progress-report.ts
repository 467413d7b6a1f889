/** Gathers what happened in a task since the last report, so that the scheduler hears of it in batches. */
import { PIECE_DIGEST_BYTES } from "../../schema/digest.ts";
import type { LeaseId, TaskId } from "../../schema/ids.ts";
import {
  type LeaseProgress,
  MAX_DIGESTS_PER_MESSAGE,
  MAX_RUNS_PER_MESSAGE,
  type PeerMessageOf,
  type PieceRun,
} from "../../schema/wire/peer-message.ts";
import type { DigestRun } from "../../schema/wire/task.ts";
import type { News } from "../core/report-pace.ts";

export class ProgressReport {
  #added = new Set<number>();
  #removed = new Set<number>();
  #digests = new Map<number, Uint8Array>();
  #leases = new Map<LeaseId, LeaseProgress>();
  /** As they were told last; `undefined` when what was told since is not known here. */
  #cursors: string | undefined = "";
  #toldQuietMs = 0;

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

  /** See `quietMs` of a report. */
  get toldQuietMs(): number {
    return this.#toldQuietMs;
  }

  /** The scheduler wants to hear of this lease, also when nothing is new of it. */
  ask(leaseId: LeaseId): void {
    this.#leases.delete(leaseId);
  }

  /** What is new, by who waits for it. */
  news(leases: readonly LeaseProgress[], cursors: readonly number[] = []): News {
    if (this.#removed.size > 0 || cursors.join() !== this.#cursors) return "urgent";
    if (this.#digests.size > 0) return "digests";
    if (leases.some((lease) => !isSame(lease, this.#leases.get(lease.leaseId)))) return "leases";
    return this.#added.size > 0 ? "trade" : "none";
  }

  clear(): void {
    this.#empty();
    this.#cursors = undefined;
    this.#toldQuietMs = 0;
  }

  /** What to report: nothing, one message, or several where one would be too long. Afterwards the batch is empty.
   *  `leases` are those being read, `cursors` where readers are, `quietMs` how long the scheduler may hear nothing. */
  take(
    taskId: TaskId,
    leases: readonly LeaseProgress[],
    totals: { readonly sourceBytes: number; readonly peerBytes: number },
    { cursors = [], quietMs = 0 }: { readonly cursors?: readonly number[]; readonly quietMs?: number } = {},
  ): PeerMessageOf<"progress">[] {
    const moving = leases.filter((lease) => !isSame(lease, this.#leases.get(lease.leaseId)));
    this.#leases = new Map(leases.map((lease) => [lease.leaseId, lease]));
    const moved = cursors.join() !== this.#cursors;
    this.#cursors = cursors.join();
    const parts = {
      added: batches(pieceRuns(this.#added)),
      removed: batches(pieceRuns(this.#removed)),
      leases: batches(moving),
      digests: digestBatches(this.#digests),
    };
    const stops = quietMs === 0 && this.#toldQuietMs > 0;
    this.#empty();
    const { added, removed, leases: read, digests } = parts;
    const count = Math.max(added.length, removed.length, read.length, digests.length, moved || stops ? 1 : 0);
    if (count > 0) this.#toldQuietMs = quietMs;
    return Array.from({ length: count }, (_, n) => ({
      type: "progress",
      taskId,
      added: added[n] ?? [],
      removed: removed[n] ?? [],
      digests: digests[n] ?? [],
      leases: read[n] ?? [],
      ...(moved && n === 0 ? { cursors: [...cursors] } : {}),
      ...(quietMs > 0 ? { quietMs } : {}),
      sourceBytes: totals.sourceBytes,
      peerBytes: totals.peerBytes,
    }));
  }

  #empty(): void {
    this.#added.clear();
    this.#removed.clear();
    this.#digests.clear();
  }
}

function isSame(lease: LeaseProgress, told: LeaseProgress | undefined): boolean {
  return told?.readBytes === lease.readBytes && told.pieceCount === lease.pieceCount;
}

function batches<T>(items: T[]): T[][] {
  const some: T[][] = [];
  for (let at = 0; at < items.length; at += MAX_RUNS_PER_MESSAGE) some.push(items.slice(at, at + MAX_RUNS_PER_MESSAGE));
  return some;
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

/** Runs of digests of consecutive pieces, in batches of what one message may hold. */
export function digestBatches(digests: ReadonlyMap<number, Uint8Array>): DigestRun[][] {
  const all: DigestRun[][] = [];
  let batch: DigestRun[] = [];
  let room = MAX_DIGESTS_PER_MESSAGE;
  for (const run of pieceRuns(digests.keys())) {
    for (let first = run.firstPiece; first < run.firstPiece + run.pieceCount; ) {
      if (room === 0 || batch.length === MAX_RUNS_PER_MESSAGE) {
        batch = [];
        room = MAX_DIGESTS_PER_MESSAGE;
      }
      if (batch.length === 0) all.push(batch);
      const count = Math.min(room, run.firstPiece + run.pieceCount - first);
      batch.push(digestRun(digests, first, count));
      room -= count;
      first += count;
    }
  }
  return all;
}

function digestRun(digests: ReadonlyMap<number, Uint8Array>, firstPiece: number, count: number): DigestRun {
  const bytes = new Uint8Array(count * PIECE_DIGEST_BYTES);
  for (let n = 0; n < count; n++) bytes.set(digests.get(firstPiece + n) ?? new Uint8Array(), n * PIECE_DIGEST_BYTES);
  return { firstPiece, digests: bytes };
}
