/** Tells the scheduler how a download goes: not more often than it asks for, and not before the news is worth a message. */
import type { HostId } from "../../schema/ids.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import { type DownloadPace, quietMs, reportPauseMs } from "../core/report-pace.ts";
import type { StoredTask } from "../store/piece-store.ts";
import type { DownloadComponents } from "./download-components.ts";
import type { TransferTotals } from "./piece-keeper.ts";
import type { ProgressReport } from "./progress-report.ts";
import type { SourceLeases } from "./source-leases.ts";

export interface ProgressSenderComponents extends DownloadComponents {
  readonly task: StoredTask;
  readonly report: ProgressReport;
  readonly leases: SourceLeases;
  readonly totals: Readonly<TransferTotals>;
  /** When it began, or got a piece last. */
  readonly gainedAtMs: () => number;
  /** Neighbours to exchange, when it is time. */
  readonly toExchange: () => readonly HostId[];
}

export class ProgressSender {
  readonly #components: ProgressSenderComponents;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #began: { readonly atMs: number; readonly heldCount: number };
  #sentAtMs = Number.NEGATIVE_INFINITY;

  /** The download begins. */
  constructor(components: ProgressSenderComponents) {
    this.#components = components;
    this.#began = { atMs: components.nowMs(), heldCount: components.task.heldCount };
    this.#timer = setInterval(() => this.sendIfDue(), components.progressIntervalMs());
  }

  sendIfDue(): void {
    const { policy, nowMs, cursors, progressIntervalMs, report, leases } = this.#components;
    const sinceMs = nowMs() - this.#sentAtMs;
    if (sinceMs < progressIntervalMs()) return;
    const view = { ...this.#pace(), news: report.news(leases.progress(), cursors()) };
    if (sinceMs >= reportPauseMs(view, progressIntervalMs(), policy)) this.send();
  }

  /** What is new goes now; a scheduler that is away is told nothing. */
  send(): void {
    const { policy, nowMs, schedulerHears, send, cursors, task, report, leases, totals, toExchange } = this.#components;
    this.#sentAtMs = nowMs();
    // The announcement after the reconnect says it all.
    if (!schedulerHears()) {
      report.clear();
      return;
    }
    const more = { cursors: cursors(), quietMs: quietMs(this.#pace(), policy) };
    const [first, ...others] = report.take(task.info.taskId, leases.progress(), totals, more);
    // No message is sent for this alone.
    const exchange = first === undefined ? [] : toExchange();
    if (first !== undefined) send([exchange.length > 0 ? { ...first, exchange: [...exchange] } : first, ...others]);
  }

  /** Sends nothing of its own accord any more. */
  close(): void {
    clearInterval(this.#timer);
  }

  #pace(): DownloadPace {
    const { nowMs, task, report, gainedAtMs } = this.#components;
    const { sizeBytes, pieceLengthBytes } = task.info;
    return {
      elapsedMs: nowMs() - this.#began.atMs,
      gotCount: task.heldCount - this.#began.heldCount,
      missingCount: pieceCountOf(sizeBytes, pieceLengthBytes) - this.#began.heldCount,
      gainlessMs: nowMs() - gainedAtMs(),
      toldQuietMs: report.toldQuietMs,
    };
  }
}
