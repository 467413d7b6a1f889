/** How fast hosts are told to read the source of a task, all together. What is granted counts: a host is not watched while it
 *  reads, so the budget holds on average, over runs of a second at most. What comes back unread counts no more. */
import type { Policy } from "./policy.ts";
import type { Task } from "./task.ts";

/** From when on more may be granted; a time that is past says so. */
export interface SourceBudget {
  paidUntilMs: number;
}

export function createSourceBudget(): SourceBudget {
  return { paidUntilMs: Number.NEGATIVE_INFINITY };
}

export function isBudgetSpent({ sourceBudget }: Task, nowMs: number): boolean {
  return nowMs < sourceBudget.paidUntilMs;
}

/** Pieces of the longest run that the budget allows at once: what may be read in `sourceBudgetMs`, and one at least. A source
 *  without ranges is read in one stream, which no budget can end. */
export function budgetPieces({ info }: Task, { sourceBpsPerTask, sourceBudgetMs }: Policy): number {
  if (!info.ranged) return Number.POSITIVE_INFINITY;
  return Math.max(1, Math.floor((sourceBpsPerTask * sourceBudgetMs) / 1000 / info.pieceLengthBytes));
}

/** So many bytes may be read now. */
export function spend(task: Task, bytes: number, policy: Policy, nowMs: number): void {
  const tookMs = priceMs(task, bytes, policy);
  if (tookMs > 0) task.sourceBudget.paidUntilMs = Math.max(task.sourceBudget.paidUntilMs, nowMs) + tookMs;
}

/** So many bytes that were to be read will not be, or by somebody who pays for them again. */
export function refund(task: Task, bytes: number, policy: Policy): void {
  task.sourceBudget.paidUntilMs -= priceMs(task, bytes, policy);
}

function priceMs({ info }: Task, bytes: number, { sourceBpsPerTask }: Policy): number {
  return info.ranged && Number.isFinite(sourceBpsPerTask) ? (1000 * bytes) / sourceBpsPerTask : 0;
}
