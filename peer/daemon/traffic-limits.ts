import type { PeerSettings, RateSettings } from "../config/peer-settings.ts";
import { RateLimit, type Rates } from "../limits/rate-limit.ts";
import { type BudgetLimits, RequestBudget } from "../limits/request-budget.ts";

export type TrafficSettings = RateSettings & Pick<PeerSettings, "maxDownloads" | "memoryBudget">;

/** How much and how fast this host may send and receive, as its settings say. */
export class TrafficLimits {
  readonly upload: RateLimit;
  readonly download: RateLimit;
  readonly source: RateLimit;
  /** What all downloads may ask of other peers. */
  readonly budget: RequestBudget;

  /** `nowMs` is never set back. */
  constructor(settings: TrafficSettings, nowMs: () => number) {
    this.upload = new RateLimit(rates(settings.uploadRate, settings.taskUploadRate), nowMs);
    this.download = new RateLimit(rates(settings.downloadRate, settings.taskDownloadRate), nowMs);
    this.source = new RateLimit(rates(settings.sourceRate, settings.taskSourceRate), nowMs);
    this.budget = new RequestBudget(budgetLimits(settings, this.download));
  }

  /** Takes effect at once, also for what is under way. */
  set(settings: TrafficSettings): void {
    this.upload.set(rates(settings.uploadRate, settings.taskUploadRate));
    this.download.set(rates(settings.downloadRate, settings.taskDownloadRate));
    this.source.set(rates(settings.sourceRate, settings.taskSourceRate));
    this.budget.set(budgetLimits(settings, this.download));
  }
}

function rates(host: number | undefined, task: number | undefined): Rates {
  return { hostBps: host ?? Number.POSITIVE_INFINITY, taskBps: task ?? Number.POSITIVE_INFINITY };
}

function budgetLimits({ maxDownloads, memoryBudget }: TrafficSettings, download: RateLimit): BudgetLimits {
  return { requests: Math.min(maxDownloads, download.streams.host), bytes: memoryBudget };
}
