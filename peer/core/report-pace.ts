/** How often the scheduler is told what happened in a task. Each report costs it more than the hosts it serves gain by the
 *  newest piece, so a task has about as many of them however long it takes. */
import type { TransferPolicy } from "./policy.ts";

/** What there is to report, by who waits for it. `urgent`: readers, and what is gone. `digests`: others cannot trade those
 *  pieces yet. `leases`: only how far they are, which keeps them alive. `trade`: nobody waits for it. */
export type News = "none" | "urgent" | "digests" | "leases" | "trade";

/** How a download goes. */
export interface DownloadPace {
  /** Since the download began. */
  readonly elapsedMs: number;
  /** Pieces that came since then, and those that were missing then. */
  readonly gotCount: number;
  readonly missingCount: number;
  /** Since a piece came last, or the download began. */
  readonly gainlessMs: number;
  /** `quietMs` as the scheduler was told it last. */
  readonly toldQuietMs: number;
}

export interface ReportView extends DownloadPace {
  readonly news: News;
}

/** Time to leave between two reports.
 *  @param shortestMs what the scheduler asks for */
export function reportPauseMs(view: ReportView, shortestMs: number, policy: TransferPolicy): number {
  switch (view.news) {
    case "none":
      // The scheduler counts on it to move, and it does not.
      return view.toldQuietMs > 0 && quietMs(view, policy) === 0 ? shortestMs : Number.POSITIVE_INFINITY;
    case "urgent":
      return 0;
    case "trade":
      return Math.max(policy.tradeReportMs, quietMs(view, policy));
    case "leases":
      return policy.leaseReportMs;
    case "digests":
      return Math.min(policy.digestReportMs, Math.max(shortestMs, digestPauseMs(view, policy)));
  }
}

/** How long the scheduler may hear nothing of a download that moves; 0 when it does not: the scheduler then has to look at once. */
export function quietMs(pace: DownloadPace, policy: TransferPolicy): number {
  const { elapsedMs, gotCount, gainlessMs } = pace;
  if (gotCount === 0 || gainlessMs >= policy.tradeReportMs) return 0;
  const pauseMs = Math.min(elapsedMs * policy.reportElapsedShare, wholeMs(pace) / policy.tradeReportsPerTask);
  return Math.round(Math.min(Math.max(pauseMs, policy.tradeReportMs), policy.tradeReportMaxMs));
}

/** A share of the time the download takes as a whole, and never much of the time it took so far: a herd that begins has
 *  nothing else to trade. */
function digestPauseMs(pace: DownloadPace, policy: TransferPolicy): number {
  return Math.min(pace.elapsedMs * policy.reportElapsedShare, wholeMs(pace) / policy.reportsPerTask);
}

/** The time that the download takes, as it went so far. */
function wholeMs({ elapsedMs, gotCount, missingCount }: DownloadPace): number {
  return (elapsedMs * missingCount) / Math.max(1, gotCount);
}
