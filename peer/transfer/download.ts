/** One task being fetched by this host: leases from the source, pieces from neighbours, each verified before it counts.
 *  It ends when every piece is held, when it cannot go on, or when nobody wants it any more. */
import { emptyBitfield } from "../../schema/bitfield.ts";
import type { HostId, LeaseId } from "../../schema/ids.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import { isProblemError, type Problem, ProblemError, problemOf } from "../../schema/problem.ts";
import type { LeaseProgress, PeerMessage } from "../../schema/wire/peer-message.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import type { TaskMessage } from "../channel/scheduler-client.ts";
import { planRequests } from "../core/plan.ts";
import type { TransferPolicy } from "../core/policy.ts";
import type { Source, SourceStat } from "../source/source.ts";
import type { StoredTask } from "../store/piece-store.ts";
import type { Neighbour } from "./neighbour.ts";
import { Neighbourhood } from "./neighbourhood.ts";
import { ParentRequests } from "./parent-requests.ts";
import { PieceDigests } from "./piece-digests.ts";
import { PieceKeeper, type TransferTotals } from "./piece-keeper.ts";
import { ProgressReport } from "./progress-report.ts";
import { SourceLeases } from "./source-leases.ts";

export interface DownloadComponents {
  readonly policy: TransferPolicy;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly log: (level: "info" | "warn", event: string, fields: Record<string, unknown>) => void;
  /** Sends to the shard of this task; dropped while it is away. */
  readonly send: (messages: readonly PeerMessage[]) => void;
  readonly schedulerHears: () => boolean;
  /** For messages. */
  readonly schedulerUrl: string;
  /** Announces the task again, for a fresh ticket. */
  readonly announce: () => void;
  readonly progressIntervalMs: number;
}

/** Problems of this host or of the content itself: no other lease holder could do better for us. */
const FINAL_PROBLEMS: ReadonlySet<Problem["code"]> = new Set(["disk-full", "store-failed", "source-changed"]);
const TICK_MS = 250;

export class Download {
  readonly done: Promise<void>;
  readonly totals: TransferTotals;
  #components: DownloadComponents;
  #info: TaskInfo;
  #task: StoredTask;
  #pieceCount: number;
  #digests: PieceDigests;
  #report = new ProgressReport();
  #neighbours: Neighbourhood;
  #keeper: PieceKeeper;
  #leases: SourceLeases;
  #requests: ParentRequests;
  #ticket: string | undefined;
  #ticketUntilMs = 0;
  #movedAtMs: number;
  #stallLogged = false;
  #ended = false;
  #settle: { resolve: () => void; reject: (error: Error) => void };
  #planning = false;
  #timers: ReturnType<typeof setInterval>[];

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
    this.totals = totals;
    this.#pieceCount = pieceCountOf(task.info.sizeBytes, task.info.pieceLengthBytes);
    this.#digests = new PieceDigests(this.#pieceCount);
    this.#movedAtMs = components.nowMs();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.done = promise;
    // Whoever waits hears of a failure; a download nobody waits for any more must not bring the process down.
    promise.catch(() => undefined);
    this.#settle = { resolve, reject };
    this.#keeper = new PieceKeeper({
      task,
      digests: this.#digests,
      report: this.#report,
      totals,
      kept: () => this.#kept(),
    });
    this.#neighbours = new Neighbourhood({
      info: this.#info,
      policy: components.policy,
      nowMs: components.nowMs,
      log: components.log,
      source: source.portableRequest,
      ticket: () => this.#ticket ?? "",
      offered: () => this.#planSoon(),
      report: (fault) => components.send([fault]),
    });
    this.#leases = new SourceLeases({
      info: this.#info,
      source,
      stat,
      keep: (piece, bytes) => this.#keeper.fromSource(piece, bytes),
      received: () => this.#moved(),
      failed: (leaseId, error) => this.#leaseFailed(leaseId, error),
      finished: () => this.#flush(),
    });
    this.#requests = new ParentRequests({
      info: this.#info,
      nowMs: components.nowMs,
      timeoutMs: components.policy.pieceTimeoutMs,
      keep: (piece, bytes, from) => this.#keepFromParent(piece, bytes, from),
      refused: () => components.announce(),
      ended: () => this.#planSoon(),
      broken: (error) => this.#fail(error),
    });
    this.#timers = [
      setInterval(() => this.#flush(), components.progressIntervalMs),
      setInterval(() => this.#tick(), TICK_MS),
    ];
  }

  leases(): LeaseProgress[] {
    return this.#leases.progress();
  }

  leasedPieceCount(): number {
    return this.#leases.progress().reduce((sum, lease) => sum + lease.pieceCount, 0);
  }

  neighbours(): readonly Neighbour[] {
    return this.#neighbours.list();
  }

  /** Why nothing moved for a while, in words, or null while something does. */
  stall(): string | null {
    const silentMs = this.#components.nowMs() - this.#movedAtMs;
    if (this.#ended || silentMs < this.#components.policy.stallAfterMs) return null;
    const seconds = `${Math.round(silentMs / 1000)} s`;
    if (this.#leases.count > 0) return `the source sends nothing (${seconds})`;
    if (!this.#components.schedulerHears()) return `the scheduler is away (${seconds})`;
    if (this.#requests.view().size > 0) return `neighbours send nothing (${seconds})`;
    if (this.#neighbours.size > 0) return `waiting for neighbours to get more pieces (${seconds})`;
    return `waiting for a lease of the source or for neighbours (${seconds})`;
  }

  hear(message: TaskMessage): void {
    if (this.#ended) return;
    switch (message.type) {
      case "task":
        this.#ticket = message.ticket;
        this.#ticketUntilMs = this.#components.nowMs() + message.ticketTtlMs;
        break;
      case "digests":
        for (const run of message.runs) this.#digests.add(run);
        break;
      case "neighbours":
        this.#neighbours.hear(message);
        break;
      case "leases":
        this.#leases.revoke(message.revoked);
        for (const lease of message.granted) this.#leases.grant(lease);
        break;
      case "refused":
        this.#fail(new ProblemError(message.code, message.message));
        return;
    }
    this.#planSoon();
  }

  /** Stops trading with a host. */
  drop(hostId: HostId): void {
    this.#neighbours.drop(hostId);
  }

  /** Nobody wants it any more: what is held stays, leases go back. */
  cancel(): void {
    this.#end(new ProblemError("cancelled", "The download was cancelled; the pieces it got are kept"));
  }

  #planSoon(): void {
    if (this.#planning || this.#ended) return;
    this.#planning = true;
    queueMicrotask(() => {
      this.#planning = false;
      if (!this.#ended) this.#plan();
    });
  }

  #plan(): void {
    if (this.#ticket === undefined || this.#neighbours.size === 0) return;
    const { policy, nowMs, random } = this.#components;
    const requests = planRequests(
      {
        pieceCount: this.#pieceCount,
        pieceLengthBytes: this.#info.pieceLengthBytes,
        held: this.#task.held,
        verifiable: this.#digests.known,
        leased: this.#leases.count > 0 ? this.#leases.pieces(this.#pieceCount) : emptyBitfield(this.#pieceCount),
        inFlight: this.#requests.view(),
        parents: this.neighbours().map(({ info, bitfield, activeRequests, restUntilMs }) => ({
          hostId: info.hostId,
          bitfield,
          activeRequests,
          restUntilMs,
        })),
      },
      policy,
      nowMs(),
      random,
    );
    for (const { hostId, piece } of requests) {
      const neighbour = this.#neighbours.get(hostId);
      if (neighbour !== undefined) this.#requests.start(piece, neighbour, this.#neighbours.addressOf(neighbour.info));
    }
  }

  async #keepFromParent(piece: number, bytes: Uint8Array, from: Neighbour): Promise<"kept" | "corrupt"> {
    if (this.#ended) return "kept";
    const outcome = await this.#keeper.fromParent(piece, bytes);
    if (outcome === "corrupt") {
      this.#components.log("warn", "piece.corrupt", { task: this.#info.taskId, piece, parent: from.info.hostId });
      this.#neighbours.blame(from, "corrupt", piece);
    }
    return outcome;
  }

  #kept(): void {
    this.#moved();
    if (this.#task.complete) this.#end(undefined);
  }

  #moved(): void {
    this.#movedAtMs = this.#components.nowMs();
    this.#stallLogged = false;
  }

  #leaseFailed(leaseId: LeaseId, error: unknown): void {
    const problem = problemOf(error);
    this.#components.log("warn", "lease.failed", {
      task: this.#info.taskId,
      lease: leaseId,
      code: problem.code,
      problem: problem.message,
    });
    if (!isProblemError(error) || FINAL_PROBLEMS.has(problem.code)) {
      this.#fail(error);
      return;
    }
    this.#flush();
    const { code, message } = problem;
    this.#components.send([
      {
        type: "return-leases",
        taskId: this.#info.taskId,
        leaseIds: [leaseId],
        problem: { code, message: message.slice(0, 1024) },
      },
    ]);
  }

  #flush(): void {
    if (!this.#components.schedulerHears()) {
      // The announcement after the reconnect says it all.
      this.#report.clear();
      return;
    }
    const report = this.#report.take(this.#info.taskId, this.#leases.progress(), this.totals);
    if (report !== undefined) this.#components.send([report]);
  }

  #tick(): void {
    const { policy, nowMs, announce, schedulerHears, log } = this.#components;
    if (this.#ticket !== undefined && nowMs() > this.#ticketUntilMs - 60_000) {
      this.#ticketUntilMs = Number.POSITIVE_INFINITY;
      announce();
    }
    const stall = this.stall();
    if (stall !== null && !this.#stallLogged) {
      this.#stallLogged = true;
      log("warn", "download.stalled", { task: this.#info.taskId, reason: stall });
    }
    if (!schedulerHears() && nowMs() - this.#movedAtMs > policy.schedulerWaitMs) {
      this.#fail(
        new ProblemError(
          "scheduler-unreachable",
          `The scheduler at ${this.#components.schedulerUrl} is away and no neighbour has the rest: start it and run the same command again; the pieces that came are kept`,
        ),
      );
      return;
    }
    this.#planSoon();
  }

  #fail(error: unknown): void {
    if (!isProblemError(error))
      this.#components.log("warn", "download.broken", { task: this.#info.taskId, error: String(error) });
    this.#end(isProblemError(error) ? error : new ProblemError("internal", problemOf(error).message, { cause: error }));
  }

  #end(problem: ProblemError | undefined): void {
    if (this.#ended) return;
    this.#flush();
    this.#ended = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#neighbours.close();
    this.#requests.close();
    const leaseIds = this.#leases.close();
    if (leaseIds.length > 0) this.#components.send([{ type: "return-leases", taskId: this.#info.taskId, leaseIds }]);
    if (problem === undefined) this.#settle.resolve();
    else this.#settle.reject(problem);
  }
}
