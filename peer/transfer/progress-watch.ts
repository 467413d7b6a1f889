/** Notices when a download does not move, and when it cannot any more. */
import type { TransferPolicy } from "../core/policy.ts";

export interface ProgressWatchComponents {
  readonly policy: TransferPolicy;
  readonly nowMs: () => number;
  readonly schedulerHears: () => boolean;
  /** What is awaited, in words. */
  readonly awaited: () => string;
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

  /** Whether nothing moved for so long that those who could be the reason should be asked whether they are there: soon,
   *  and then each time after twice as long a silence. */
  isTimeToProbe(): boolean {
    if (this.#silentMs() < this.#probeAfterMs) return false;
    this.#probeAfterMs *= 2;
    return true;
  }

  /** Whether nothing moved for so long that whoever owes something is given up. */
  isStalled(): boolean {
    return this.#silentMs() >= this.#components.policy.parentStallMs;
  }

  /** Why nothing moved for a while, in words, or null while something does. */
  stall(): string | null {
    const silentMs = this.#silentMs();
    const { policy, awaited } = this.#components;
    return silentMs < policy.stallAfterMs ? null : `${awaited()} (${Math.round(silentMs / 1000)} s)`;
  }

  /** A stall that was not told of yet. */
  newStall(): string | null {
    const stall = this.#told ? null : this.stall();
    if (stall !== null) this.#told = true;
    return stall;
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
