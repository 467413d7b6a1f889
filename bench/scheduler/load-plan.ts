/** What the client process is told, and what it answers. */
export interface LoadPlan {
  readonly url: string;
  readonly token: string;
  readonly schedulerPid: number;
  readonly hosts: number;
  /** Hosts are in herds of this many, each around a task of its own. */
  readonly hostsPerTask: number;
  readonly eventsPerSecond: number;
  readonly seconds: number;
}

export interface LoadResult {
  /** Messages the scheduler had answered for, a second. */
  readonly eventsPerSecond: number;
  /** From when a frame was due, so that a client that comes late hides nothing, until its answer. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What of that the client owes by itself: how late it sent the latest hundredth of its frames. */
  readonly lateP99Ms: number;
  /** CPU time of the scheduler for an event, in microseconds. */
  readonly cpuUsPerEvent: number;
  /** Share of the time in which the scheduler could have gone on and had no core: others had them. */
  readonly queuedShare: number;
  /** Shares of a core that the scheduler and the client itself used. */
  readonly schedulerBusy: number;
  readonly clientBusy: number;
}
