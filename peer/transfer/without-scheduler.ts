/** Keeps a download going while no scheduler grants leases: this host reads from the source what falls to it, and has digests
 *  from those who hold the pieces (docs/decisions/0013). */
import { hasPiece } from "../../schema/bitfield.ts";
import type { LeaseId } from "../../schema/ids.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import { MAX_DIGEST_RUNS, MAX_DIGESTS_PER_REPLY } from "../../schema/wire/pull.ts";
import { ownRunsOf, ownStep } from "../core/own-reading.ts";
import type { StoredTask } from "../store/piece-store.ts";
import type { DownloadHost } from "./download-components.ts";
import type { Neighbour } from "./neighbour.ts";
import type { Neighbourhood } from "./neighbourhood.ts";
import type { PieceDigests } from "./piece-digests.ts";
import { pieceRuns } from "./progress-report.ts";
import type { SourceLeases } from "./source-leases.ts";

export interface WithoutSchedulerComponents extends DownloadHost {
  /** Since when the scheduler is away, or `undefined`. */
  readonly awaySinceMs: () => number | undefined;
  readonly task: StoredTask;
  readonly digests: PieceDigests;
  readonly neighbours: Neighbourhood;
  readonly leases: SourceLeases;
  /** Digests came, so that more can be asked for. */
  readonly learned: () => void;
}

export class WithoutScheduler {
  readonly #components: WithoutSchedulerComponents;
  readonly #pieceCount: number;
  readonly #asking = new Set<Neighbour>();
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  /** Nothing is read before: the source failed this host. */
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #count = 0;

  constructor(components: WithoutSchedulerComponents) {
    this.#components = components;
    const { sizeBytes, pieceLengthBytes } = components.task.info;
    this.#pieceCount = pieceCountOf(sizeBytes, pieceLengthBytes);
  }

  /** Looks what there is to do; to be called a few times a second. */
  tick(): void {
    const { policy, nowMs, neighbours, task, log } = this.#components;
    const awaySinceMs = this.#components.awaySinceMs();
    if (awaySinceMs === undefined) {
      // What failed under the leases of a scheduler tells nothing of now.
      this.#failures = 0;
      this.#restUntilMs = Number.NEGATIVE_INFINITY;
      return;
    }
    const hasNeighbours = neighbours.size > 0;
    const { looks, reads } = ownStep({ awaySinceMs, lookedAtMs: this.#lookedAtMs, hasNeighbours }, policy, nowMs());
    if (looks) {
      const isFirst = this.#lookedAtMs < awaySinceMs;
      this.#lookedAtMs = nowMs();
      neighbours.look();
      if (isFirst) log("warn", "download.without-scheduler", { task: task.info.taskId, neighbours: neighbours.size });
    }
    if (!reads) return;
    for (const neighbour of neighbours.list()) void this.#askDigests(neighbour);
    this.#readOwned(awaySinceMs);
  }

  /** The source failed this host: others may do better. */
  failed(): void {
    const { nowMs, policy } = this.#components;
    this.#failures++;
    this.#restUntilMs = nowMs() + policy.ownerPatienceMs * 2 ** Math.min(this.#failures - 1, 4);
  }

  #readOwned(awaySinceMs: number): void {
    const { hostId, policy, nowMs, task, neighbours, leases } = this.#components;
    if (nowMs() < this.#restUntilMs) return;
    const { taskId, pieceLengthBytes, ranged } = task.info;
    const planned = ownRunsOf(
      {
        taskId,
        hostId,
        pieceCount: this.#pieceCount,
        pieceLengthBytes,
        ranged,
        held: task.held,
        awaySinceMs,
        reading: leases.pieces(this.#pieceCount),
        readingRuns: leases.count,
        neighbours: neighbours.list(),
      },
      policy,
      nowMs(),
    );
    for (const run of planned) {
      const leaseId = `own-${hostId.slice(0, 12)}-${(++this.#count).toString(36)}` as LeaseId;
      leases.grant({ leaseId, ...run, ttlMs: policy.ownLeaseTtlMs });
    }
  }

  async #askDigests(neighbour: Neighbour): Promise<void> {
    const { task, digests, neighbours, learned } = this.#components;
    if (this.#asking.has(neighbour)) return;
    const unknown: number[] = [];
    for (let piece = 0; piece < this.#pieceCount && unknown.length < MAX_DIGESTS_PER_REPLY; piece++) {
      if (!hasPiece(neighbour.bitfield, piece) || hasPiece(task.held, piece) || hasPiece(digests.known, piece))
        continue;
      unknown.push(piece);
    }
    if (unknown.length === 0) return;
    this.#asking.add(neighbour);
    const told = await neighbours.digestsOf(neighbour, pieceRuns(unknown).slice(0, MAX_DIGEST_RUNS));
    this.#asking.delete(neighbour);
    if (told === undefined) return;
    for (const [piece, digest] of told) digests.add({ firstPiece: piece, digests: digest });
    if (told.size > 0) learned();
  }
}
