/** Notices when a download does not move, does something about it, and tells when it cannot move any more. */
import type { TaskId } from "../../schema/ids.ts";
import type { Log } from "../../schema/log.ts";
import type { TransferPolicy } from "../core/policy.ts";

export interface ProgressWatchComponents {
  readonly policy: TransferPolicy;
  readonly nowMs: () => number;
  readonly log: Log;
  readonly taskId: TaskId;
  readonly schedulerHears: () => boolean;
  /** What is awaited, in words. */
  readonly awaited: () => string;
  /** Asks those who could be the reason whether they are there. */
  readonly probe: () => void;
  /** Gives up those who have owed something since then. */
  readonly giveUpOwing: (byMs: number) => void;
}

export class ProgressWatch {
  readonly #components: ProgressWatchComponents;
  #movedAtMs: number;
  #awaySinceMs: number | undefined;
  #told = false;
  /** A silence longer than this is time to ask who is there. */
  #probeAfterMs: number;

  constructor(components: ProgressWatchComponents) {
    this.#components = components;
    this.#movedAtMs = components.nowMs();
    this.#probeAfterMs = components.policy.probeAfterMs;
  }

  moved(): void {
    this.#movedAtMs = this.#components.nowMs();
    this.#told = false;
    this.#probeAfterMs = this.#components.policy.probeAfterMs;
  }

  /** Looks what to do about a silence; to be called a few times a second. A stall is told once; a probe comes soon, and then
   *  each time after twice as long a silence. */
  tick(): void {
    const { policy, nowMs, log, taskId, probe, giveUpOwing } = this.#components;
    const reason = this.#told ? null : this.stall();
    if (reason !== null) {
      this.#told = true;
      log("warn", "download.stalled", { task: taskId, reason });
    }
    if (this.#silentMs() >= this.#probeAfterMs) {
      this.#probeAfterMs *= 2;
      probe();
    }
    if (this.#silentMs() >= policy.parentStallMs) giveUpOwing(nowMs() - policy.parentStallMs);
  }

  /** Why nothing moved for a while, in words, or null while something does. */
  stall(): string | null {
    const silentMs = this.#silentMs();
    const { policy, awaited } = this.#components;
    return silentMs < policy.stallAfterMs ? null : `${awaited()} (${Math.round(silentMs / 1000)} s)`;
  }

  /** Since when the scheduler is away, or `undefined`; to be asked with every tick, since it is noticed here. */
  awaySinceMs(): number | undefined {
    const { nowMs, schedulerHears } = this.#components;
    this.#awaySinceMs = schedulerHears() ? undefined : (this.#awaySinceMs ?? nowMs());
    return this.#awaySinceMs;
  }

  /** Whether to give up: nothing moves, and the scheduler who could change that has been away for long. */
  isHopeless(): boolean {
    const awaySinceMs = this.awaySinceMs();
    if (awaySinceMs === undefined) return false;
    const { policy, nowMs } = this.#components;
    return nowMs() - Math.max(this.#movedAtMs, awaySinceMs) > policy.schedulerWaitMs;
  }

  #silentMs(): number {
    return this.#components.nowMs() - this.#movedAtMs;
  }
}
