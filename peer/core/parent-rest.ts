/** How long a parent that failed is left alone, and when it is given up. Pure. */
import type { TransferPolicy } from "./policy.ts";

/** Why a parent did not serve: no answer; nobody listens where it was; it refused our ticket; it does not hold the piece
 *  (any more); all its upload slots are busy; it serves those first who have fewer bytes on their way from it. */
export type ParentFailure = "unreachable" | "gone" | "refused" | "missing" | WaitFailure;
/** It only wants to be asked later. */
export type WaitFailure = "busy" | "share";

export function isWait(failure: ParentFailure): failure is WaitFailure {
  return failure === "busy" || failure === "share";
}

export interface ParentRest {
  /** In a row. */
  readonly failures: number;
  /** It is not asked before this moment. */
  readonly restUntilMs: number;
}

export interface RestAfter extends ParentRest {
  /** It failed too often in a row: the scheduler is told, and it is asked no more. */
  readonly isLost: boolean;
}

/** It rests longer with each failure in a row. A busy parent is a good one: it only wants to be asked later.
 *  @param retryInMs when a busy parent says that it may have a slot */
export function restAfter(
  { failures, restUntilMs }: ParentRest,
  failure: ParentFailure,
  policy: TransferPolicy,
  nowMs: number,
  retryInMs: number = policy.parentBackoffMs,
): RestAfter {
  // Requests that ran side by side fail together: that is one failure.
  if (nowMs < restUntilMs) return { failures, restUntilMs, isLost: false };
  if (isWait(failure))
    return { failures, restUntilMs: nowMs + Math.min(policy.busyRestMaxMs, retryInMs), isLost: false };
  const count = failures + 1;
  const most = failure === "gone" ? policy.goneFailures : policy.parentFailures;
  return {
    failures: count,
    restUntilMs: nowMs + policy.parentBackoffMs * 2 ** Math.min(count, policy.parentBackoffDoublings),
    isLost: count >= most,
  };
}
