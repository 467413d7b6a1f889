import type { RateSettings } from "../config/peer-settings.ts";
import { RateLimit, type Rates } from "../limits/rate-limit.ts";

/** How fast this host may send and receive, as its settings say. */
export class TrafficLimits {
  readonly upload: RateLimit;
  readonly source: RateLimit;

  /** `nowMs` is never set back. */
  constructor(settings: RateSettings, nowMs: () => number) {
    this.upload = new RateLimit(rates(settings.uploadRate, settings.taskUploadRate), nowMs);
    this.source = new RateLimit(rates(settings.sourceRate, settings.taskSourceRate), nowMs);
  }

  /** Takes effect at once, also for what is under way. */
  set(settings: RateSettings): void {
    this.upload.set(rates(settings.uploadRate, settings.taskUploadRate));
    this.source.set(rates(settings.sourceRate, settings.taskSourceRate));
  }
}

function rates(host: number | undefined, task: number | undefined): Rates {
  return { hostBps: host ?? Number.POSITIVE_INFINITY, taskBps: task ?? Number.POSITIVE_INFINITY };
}
