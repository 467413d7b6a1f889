/** How fast hosts are told to read the source of a task, all together. What is granted counts, read or not: a host is not watched
 *  while it reads, so the budget holds on average, over runs of a second at most. */
import type { Run } from "./piece-ledger.ts";
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

/** A run was granted. */
export function spend(
  { info, sourceBudget }: Task,
  { pieceCount }: Run,
  { sourceBpsPerTask }: Policy,
  nowMs: number,
): void {
  if (!info.ranged || !Number.isFinite(sourceBpsPerTask)) return;
  const tookMs = (1000 * pieceCount * info.pieceLengthBytes) / sourceBpsPerTask;
  sourceBudget.paidUntilMs = Math.max(sourceBudget.paidUntilMs, nowMs) + tookMs;
}
