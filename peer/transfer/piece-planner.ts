/** Puts the plan into practice: looks at what is held, wanted and on offer, and starts the requests that follow, as soon as
 *  something has changed and what all downloads share leaves room. */
import { setImmediate } from "node:timers";
import { emptyBitfield } from "../../schema/bitfield.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import { areAllLate } from "../core/late-pieces.ts";
import { planRequests } from "../core/plan.ts";
import type { TransferPolicy } from "../core/policy.ts";
import type { StoredTask } from "../store/piece-store.ts";
import type { DownloadComponents } from "./download-components.ts";
import type { Neighbourhood } from "./neighbourhood.ts";
import type { ParentRequests } from "./parent-requests.ts";
import type { PieceDigests } from "./piece-digests.ts";
import type { SourceLeases } from "./source-leases.ts";
import type { TicketHolder } from "./ticket-holder.ts";

export interface PiecePlannerComponents extends DownloadComponents {
  /** When the download began, or got a piece last. */
  readonly gainedAtMs: () => number;
  readonly task: StoredTask;
  readonly digests: PieceDigests;
  readonly neighbours: Neighbourhood;
  readonly leases: SourceLeases;
  readonly requests: ParentRequests;
  readonly ticket: TicketHolder;
}

export class PiecePlanner {
  readonly #components: PiecePlannerComponents;
  readonly #scarceSinceMs = new Map<number, number>();
  /** With what limits of this host leave of it. */
  #policy: TransferPolicy;
  #planning = false;
  #closed = false;

  constructor(components: PiecePlannerComponents) {
    this.#components = components;
    this.#policy = components.policy;
  }

  /** Something changed: plans once, after all that has come in was heard. On a busy host that is a dozen events of connections at a
   *  time. */
  readonly soon = (): void => {
    if (this.#planning || this.#closed) return;
    this.#planning = true;
    setImmediate(() => {
      this.#planning = false;
      if (!this.#closed) this.#plan();
    });
  };

  close(): void {
    this.#closed = true;
    this.#components.budget.leave(this.soon);
  }

  #plan(): void {
    const { policy, downloadLimit, budget, nowMs, random, task, neighbours, requests, ticket } = this.#components;
    if (ticket.ticket === "" || neighbours.size === 0) {
      budget.leave(this.soon);
      return;
    }
    const spareRequests = budget.spareFor(this.soon, task.info.pieceLengthBytes);
    if (spareRequests === 0) {
      budget.wait(this.soon);
      return;
    }
    const requestsPerTask = Math.min(policy.requestsPerTask, downloadLimit.streams.task);
    // Most of what is heard comes while all places are taken: then nothing has to be looked at, unless all is late.
    if (requests.count >= requestsPerTask && !areAllLate(requests.inFlight, policy, nowMs())) {
      budget.leave(this.soon);
      return;
    }
    if (this.#policy.requestsPerTask !== requestsPerTask) this.#policy = { ...policy, requestsPerTask };
    const planned = planRequests(this.#view(spareRequests), this.#policy, nowMs(), random);
    for (const { hostId, piece } of planned) {
      const neighbour = neighbours.get(hostId);
      if (neighbour !== undefined) requests.start(piece, neighbour, neighbours.addressOf(neighbour.info));
    }
    budget.leave(this.soon);
    if (planned.length === spareRequests) budget.wait(this.soon);
  }

  #view(spareRequests: number) {
    const { hostId, idc, gainedAtMs, cursors, task, digests, neighbours, leases, requests } = this.#components;
    const { taskId, sizeBytes, pieceLengthBytes } = task.info;
    const pieceCount = pieceCountOf(sizeBytes, pieceLengthBytes);
    return {
      taskId,
      hostId,
      idc,
      gainedAtMs: gainedAtMs(),
      pieceCount,
      pieceLengthBytes,
      held: task.held,
      verifiable: digests.known,
      leaseCount: leases.count,
      leased: leases.count > 0 ? leases.pieces(pieceCount) : emptyBitfield(pieceCount),
      inFlight: requests.inFlight,
      spareRequests,
      cursors: cursors(),
      scarceSinceMs: this.#scarceSinceMs,
      parents: neighbours.list(),
    };
  }
}
