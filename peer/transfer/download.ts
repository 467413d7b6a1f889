/** One task being fetched by this host: leases from the source, pieces from neighbours, each verified before it counts.
 *  It ends when every piece is held, when it cannot go on, or when nobody wants it any more. */

import type { HostId, LeaseId } from "../../schema/ids.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import type { PieceNews } from "../../schema/piece-news.ts";
import { isProblemError, type Problem, ProblemError, problemOf } from "../../schema/problem.ts";
import { MAX_REASON_LENGTH } from "../../schema/wire/fields.ts";
import type { AwaitedPiece, Hedges } from "../../schema/wire/local.ts";
import type { LeaseProgress, PieceRun } from "../../schema/wire/peer-message.ts";
import type { DigestRun, TaskInfo } from "../../schema/wire/task.ts";
import type { TaskMessage } from "../channel/scheduler-client.ts";
import type { Source, SourceStat } from "../source/source.ts";
import type { StoredTask } from "../store/piece-store.ts";
import type { DownloadComponents } from "./download-components.ts";
import type { Neighbour } from "./neighbour.ts";
import { NeighbourExchange } from "./neighbour-exchange.ts";
import { PieceDigests } from "./piece-digests.ts";
import { PieceKeeper, type TransferTotals } from "./piece-keeper.ts";
import { PieceTrade } from "./piece-trade.ts";
import { ProgressReport } from "./progress-report.ts";
import { ProgressSender } from "./progress-sender.ts";
import { ProgressWatch } from "./progress-watch.ts";
import { SourceLeases } from "./source-leases.ts";
import { strangersIn } from "./strangers.ts";
import { WithoutScheduler } from "./without-scheduler.ts";

/** Problems of this host or of the content itself: no other lease holder could do better for us. */
const FINAL_PROBLEMS: ReadonlySet<Problem["code"]> = new Set(["disk-full", "store-failed", "source-changed"]);

export class Download {
  /** Resolves when every piece is held; rejects with the ProblemError that ended it. */
  readonly done: Promise<void>;
  readonly #components: DownloadComponents;
  readonly #info: TaskInfo;
  readonly #task: StoredTask;
  readonly #digests: PieceDigests;
  readonly #report = new ProgressReport();
  readonly #sender: ProgressSender;
  readonly #keeper: PieceKeeper;
  readonly #leases: SourceLeases;
  readonly #trade: PieceTrade;
  readonly #watch: ProgressWatch;
  readonly #withoutScheduler: WithoutScheduler;
  #sourceProblem = "";
  readonly #settle: { resolve: () => void; reject: (error: Error) => void };
  readonly #timer: ReturnType<typeof setInterval>;
  #ended = false;

  constructor(
    components: DownloadComponents,
    task: StoredTask,
    source: Source,
    stat: SourceStat,
    totals: TransferTotals,
  ) {
    this.#components = components;
    this.#info = task.info;
    this.#task = task;
    this.#digests = new PieceDigests(pieceCountOf(task.info.sizeBytes, task.info.pieceLengthBytes));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.done = promise;
    // Whoever waits hears of a failure; a download nobody waits for any more must not bring the process down.
    promise.catch(() => undefined);
    this.#settle = { resolve, reject };
    this.#watch = new ProgressWatch({
      ...components,
      taskId: this.#info.taskId,
      awaited: () => this.#awaited(),
      probe: () => this.#trade.neighbours.probe(),
      giveUpOwing: (byMs) => this.#trade.neighbours.giveUpOwing(byMs),
    });
    this.#keeper = new PieceKeeper({
      task,
      digests: this.#digests,
      report: this.#report,
      totals,
      kept: () => this.#kept(),
    });
    this.#leases = new SourceLeases({
      info: this.#info,
      source,
      stat,
      keeper: this.#keeper,
      backlogBytes: components.policy.backlogBytes,
      received: () => this.#watch.moved(),
      failed: (leaseId, error) => this.#leaseFailed(leaseId, error),
      // A host without leases waits for the next one.
      finished: () => (this.#leases.count === 0 ? this.#sender.send() : this.#sender.sendIfDue()),
      gaveBack: () => this.#sender.send(),
    });
    const exchange = new NeighbourExchange({ ...components, neighbours: () => this.#trade.neighbours.list() });
    this.#sender = new ProgressSender({
      ...components,
      task,
      report: this.#report,
      leases: this.#leases,
      totals,
      gainedAtMs: () => this.#trade.gainedAtMs,
      toExchange: () => exchange.due(),
    });
    this.#trade = new PieceTrade({
      ...components,
      task,
      digests: this.#digests,
      keeper: this.#keeper,
      leases: this.#leases,
      source: source.portableRequest,
      received: () => this.#watch.moved(),
      broken: (error) => this.#fail(error),
    });
    this.#withoutScheduler = new WithoutScheduler({
      ...components,
      awaySinceMs: () => this.#watch.awaySinceMs(),
      task,
      digests: this.#digests,
      neighbours: this.#trade.neighbours,
      leases: this.#leases,
      learned: () => this.#trade.plan(),
    });
    this.#timer = setInterval(() => this.#tick(), components.policy.lookAfterMs);
  }

  /** It takes no part any more, though `done` may settle a moment later. */
  get ended(): boolean {
    return this.#ended;
  }

  leases(): LeaseProgress[] {
    return this.#leases.progress();
  }

  /** What is read from the source just now. */
  reading(): PieceRun[] {
    return this.#leases.progress().map(({ firstPiece, pieceCount }) => ({ firstPiece, pieceCount }));
  }

  neighbours(): readonly Neighbour[] {
    return this.#trade.neighbours.list();
  }

  /** Second requests for late pieces. */
  get hedges(): Readonly<Hedges> {
    return this.#trade.requests.hedges;
  }

  /** What was asked of neighbours and has not come, the oldest first. */
  awaited(): AwaitedPiece[] {
    const nowMs = this.#components.nowMs();
    return [...this.#trade.requests.inFlight]
      .map(([piece, { sinceMs, parents }]) => ({ piece, ageMs: Math.round(nowMs - sinceMs), hostIds: [...parents] }))
      .sort((a, b) => b.ageMs - a.ageMs);
  }

  /** Why nothing moved for a while, in words, or null while something does. */
  stall(): string | null {
    return this.#ended ? null : this.#watch.stall();
  }

  hear(message: TaskMessage): void {
    if (this.#ended) return;
    switch (message.type) {
      case "task":
        this.#trade.ticket.take(message);
        break;
      case "digests":
        for (const run of message.runs) this.#digests.add(run);
        this.#dropStrangers(message.runs);
        break;
      case "neighbours":
        this.#trade.neighbours.hear(message);
        break;
      case "leases":
        this.#leases.revoke(message.revoked);
        for (const lease of message.granted) this.#leases.grant(lease);
        for (const { leaseId, pieceCount } of message.shortened ?? []) {
          this.#leases.shorten(leaseId, pieceCount);
          this.#report.ask(leaseId);
        }
        if (message.shortened !== undefined) this.#sender.send();
        break;
      case "refused":
        this.#fail(new ProblemError(message.code, message.message));
        return;
      default:
        message satisfies never;
    }
    this.#trade.plan();
  }

  /** A host told what it holds. */
  told(hostId: HostId, news: PieceNews): void {
    this.#trade.neighbours.get(hostId)?.tell(news);
  }

  /** Stops trading with a host. */
  drop(hostId: HostId): void {
    this.#trade.neighbours.drop(hostId);
  }

  /** Tells the scheduler now what changed since the last report. */
  report(): void {
    if (!this.#ended) this.#sender.send();
  }

  /** Nobody wants it any more: what is held stays, leases go back. */
  cancel(): void {
    this.#end(new ProblemError("cancelled", "The download was cancelled; the pieces it got are kept"));
  }

  #dropStrangers(runs: readonly DigestRun[]): void {
    for (const piece of strangersIn(runs, this.#task, this.#digests)) {
      this.#components.log("warn", "piece.stranger", { task: this.#info.taskId, piece });
      this.#report.removed(piece);
      this.#task.drop(piece).catch((error: unknown) => this.#fail(error));
    }
  }

  #kept(): void {
    this.#watch.moved();
    this.#trade.gained();
    if (this.#task.complete) this.#end(undefined);
    else this.#sender.sendIfDue();
  }

  #leaseFailed(leaseId: LeaseId, error: unknown): void {
    const { taskId } = this.#info;
    const { code, message } = problemOf(error);
    this.#components.log("warn", "lease.failed", { task: taskId, lease: leaseId, code, problem: message });
    if (!isProblemError(error) || FINAL_PROBLEMS.has(code)) {
      this.#fail(error);
      return;
    }
    this.#withoutScheduler.failed();
    this.#sourceProblem = `; the source: ${message}`;
    this.#sender.send();
    const problem = { code, message: message.slice(0, MAX_REASON_LENGTH) };
    this.#components.send([{ type: "return-leases", taskId, leaseIds: [leaseId], problem }]);
  }

  #tick(): void {
    this.#trade.ticket.tick();
    this.#watch.tick();
    this.#withoutScheduler.tick();
    if (this.#leases.count === 0 && this.#watch.isHopeless()) {
      const message = `The scheduler at ${this.#components.schedulerUrl} is away and no neighbour has the rest: start it and run the same command again; the pieces that came are kept${this.#sourceProblem}`;
      this.#fail(new ProblemError("scheduler-unreachable", message));
      return;
    }
    this.#trade.plan();
  }

  #awaited(): string {
    if (this.#leases.count > 0) return "the source sends nothing";
    if (!this.#components.schedulerHears()) return "the scheduler is away";
    if (this.#trade.requests.inFlight.size > 0) return "neighbours send nothing";
    if (this.#trade.neighbours.size > 0) return "waiting for neighbours to get more pieces";
    return "waiting for a lease of the source or for neighbours";
  }

  #fail(error: unknown): void {
    if (isProblemError(error)) {
      this.#end(error);
      return;
    }
    this.#components.log("warn", "download.broken", { task: this.#info.taskId, error: String(error) });
    this.#end(new ProblemError("internal", problemOf(error).message, { cause: error }));
  }

  #end(problem: ProblemError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#timer);
    this.#sender.close();
    this.#trade.close();
    const { taskId } = this.#info;
    const leaseIds = this.#leases.close();
    // Pieces that are being written now are kept, and the scheduler hears of them too.
    void this.#keeper.idle().then(() => {
      this.#sender.send();
      if (leaseIds.length > 0) this.#components.send([{ type: "return-leases", taskId, leaseIds }]);
      if (problem === undefined) this.#settle.resolve();
      else this.#settle.reject(problem);
    });
  }
}
