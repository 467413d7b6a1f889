/** How often the scheduler is told what happened in a task. Each report costs it more than the hosts it serves gain by the
 *  newest piece, so a task has about as many of them however long it takes. */
import type { TransferPolicy } from "./policy.ts";

/** What there is to report, by who waits for it. `urgent`: readers, and what is gone. `digests`: others cannot trade those
 *  pieces yet. `leases`: only how far they are, which keeps them alive. `trade`: nobody waits for it. */
export type News = "none" | "urgent" | "digests" | "leases" | "trade";

export interface ReportView {
  readonly news: News;
  /** Since the download began. */
  readonly elapsedMs: number;
  /** Pieces that came since then, and those that were missing then. */
  readonly gotCount: number;
  readonly missingCount: number;
}

/** Time to leave between two reports.
 *  @param shortestMs what the scheduler asks for */
export function reportPauseMs(view: ReportView, shortestMs: number, policy: TransferPolicy): number {
  switch (view.news) {
    case "none":
      return Number.POSITIVE_INFINITY;
    case "urgent":
      return 0;
    case "trade":
      return policy.tradeReportMs;
    case "leases":
      return policy.leaseReportMs;
    case "digests":
      return Math.min(policy.digestReportMs, Math.max(shortestMs, digestPauseMs(view, policy)));
  }
}

/** A share of the time the download takes as a whole, and never much of the time it took so far: a herd that begins has
 *  nothing else to trade. */
function digestPauseMs({ elapsedMs, gotCount, missingCount }: ReportView, policy: TransferPolicy): number {
  const wholeMs = (elapsedMs * missingCount) / Math.max(1, gotCount);
  return Math.min(elapsedMs * policy.reportElapsedShare, wholeMs / policy.reportsPerTask);
}
