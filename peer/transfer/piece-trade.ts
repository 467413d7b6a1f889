/** What a download gets from neighbours: with which ticket, from whom, which pieces, and what follows when they are not the
 *  pieces. */
import type { SourceRequest } from "../../schema/wire/pull.ts";
import { isHungry, newsPauseMs } from "../core/news.ts";
import type { StoredTask } from "../store/piece-store.ts";
import type { DownloadComponents } from "./download-components.ts";
import type { Neighbour } from "./neighbour.ts";
import { Neighbourhood } from "./neighbourhood.ts";
import { ParentRequests } from "./parent-requests.ts";
import type { PieceDigests } from "./piece-digests.ts";
import type { PieceKeeper } from "./piece-keeper.ts";
import { PiecePlanner } from "./piece-planner.ts";
import { RecentPace } from "./recent-pace.ts";
import type { SourceLeases } from "./source-leases.ts";
import { TicketHolder } from "./ticket-holder.ts";

export interface PieceTradeComponents extends DownloadComponents {
  readonly task: StoredTask;
  readonly digests: PieceDigests;
  readonly keeper: PieceKeeper;
  /** What they read is asked of nobody. */
  readonly leases: SourceLeases;
  /** For a seed that must be told where the source is. */
  readonly source: SourceRequest;
  /** Bytes came. */
  readonly received: () => void;
  /** Our own disk failed. */
  readonly broken: (error: unknown) => void;
}

export class PieceTrade {
  readonly ticket: TicketHolder;
  readonly neighbours: Neighbourhood;
  readonly requests: ParentRequests;
  readonly #components: PieceTradeComponents;
  readonly #planner: PiecePlanner;
  /** Of pieces that are kept. */
  readonly #pace = new RecentPace();
  #gainedAtMs: number;
  #closed = false;

  constructor(components: PieceTradeComponents) {
    this.#components = components;
    const { policy, nowMs, task, troubles, downloadLimit, announce, send } = components;
    const { info } = task;
    this.#gainedAtMs = nowMs();
    this.ticket = new TicketHolder({ nowMs, announce, waitMs: policy.ticketWaitMs, renewMs: policy.ticketRenewMs });
    this.neighbours = new Neighbourhood({
      ...components,
      info,
      ticket: () => this.ticket.ticket,
      newsPauseMs: (offered) =>
        newsPauseMs(
          {
            offered,
            held: task.held,
            neighbourCount: this.neighbours.size,
            piecesPerSecond: this.#pace.perSecond(nowMs()),
            hungry: () => this.#isHungry(),
          },
          policy,
        ),
      offered: () => this.plan(),
      report: (fault) => send([fault]),
    });
    this.requests = new ParentRequests({
      ...components,
      info,
      held: () => ({ version: task.version, bitfield: task.held }),
      silenceMs: policy.pieceSilenceMs,
      limit: downloadLimit,
      hedges: troubles.hedges,
      corrupt: (piece, from) => this.#corrupt(piece, from),
      refused: (ticket) => this.ticket.refused(ticket),
      ended: () => this.plan(),
    });
    this.#planner = new PiecePlanner({
      ...components,
      gainedAtMs: () => this.#gainedAtMs,
      neighbours: this.neighbours,
      requests: this.requests,
      ticket: this.ticket,
    });
  }

  /** When it began, or got a piece last, wherever that came from. */
  get gainedAtMs(): number {
    return this.#gainedAtMs;
  }

  /** Something changed: looks what to ask for now. */
  plan(): void {
    this.#planner.soon();
  }

  /** One more piece is held, wherever it came from. */
  gained(): void {
    this.#gainedAtMs = this.#components.nowMs();
    this.#pace.note(this.#gainedAtMs);
  }

  close(): void {
    this.#closed = true;
    this.neighbours.close();
    this.requests.close();
    this.#planner.close();
  }

  #isHungry(): boolean {
    const { task, policy } = this.#components;
    const offers = this.neighbours.list().map(({ bitfield }) => bitfield);
    return isHungry({ held: task.held, offers, underWayCount: this.requests.inFlight.size }, policy);
  }

  #corrupt(piece: number, from: Neighbour): void {
    const { log, task, troubles } = this.#components;
    troubles.piecesCorrupt++;
    if (this.#closed) return;
    log("warn", "piece.corrupt", { task: task.info.taskId, piece, parent: from.info.hostId });
    this.neighbours.blame(from, "corrupt", piece);
  }
}
