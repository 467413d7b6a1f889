/** Puts a run into somebody's hands. */
import { nextLeaseId, openLease } from "./lease-book.ts";
import type { Lease, Peer } from "./peer.ts";
import type { Run } from "./piece-ledger.ts";
import { isBudgetSpent, spend } from "./source-budget.ts";
import type { Task } from "./task.ts";
import { notesFor, type Turn, wakeBy } from "./turn.ts";

/** @param isOpen which pieces of the run it is to read; no lease must cover them */
export function grant(turn: Turn, reader: Peer, run: Run, isOpen: (piece: number) => boolean): void {
  const { task } = reader;
  // Without ranges a stream starts at the first byte, whatever is held already.
  const covered = task.info.ranged ? run : { firstPiece: 0, pieceCount: task.pieceCount };
  spend(task, covered.pieceCount * task.info.pieceLengthBytes, turn.policy, turn.nowMs);
  wakeForBudget(turn, task);
  const lease = openLease(reader, nextLeaseId(task), covered, isOpen, leaseTtlMs(turn, reader), turn.nowMs);
  notesFor(turn, reader).granted.push(lease);
  reader.refused = false;
  wakeBy(turn, turn.nowMs + lease.ttlMs);
}

/** Grants on once the budget of the source allows it. */
export function wakeForBudget(turn: Turn, task: Task): void {
  if (isBudgetSpent(task, turn.nowMs)) wakeBy(turn, task.sourceBudget.paidUntilMs);
}

/** Asks the holder of a lease to give its end back, once until it speaks of the lease again, and not again at once when it
 *  kept it. The pieces stay its own until then: it may have read them. */
export function askShorter(turn: Turn, lease: Lease, pieceCount: number): void {
  if (!mayAskShorter(lease, turn.nowMs) || pieceCount >= lease.pieceCount || !lease.peer.task.info.ranged) return;
  lease.askedShorter = true;
  turn.swarm.tallies.leasesShortened.asked++;
  notesFor(turn, lease.peer).shortened.set(lease.leaseId, pieceCount);
}

/** Asks the holder of a lease how far it is: to end it where it does end. */
export function askHowFar(turn: Turn, lease: Lease): void {
  lease.askedAtMs = turn.nowMs;
  notesFor(turn, lease.peer).shortened.set(lease.leaseId, lease.pieceCount);
}

export function mayAskShorter({ askedShorter, mayAskAtMs }: Lease, nowMs: number): boolean {
  return !askedShorter && nowMs >= mayAskAtMs;
}

/** Runs of this task that the source bears at a time. */
export function streamsOf(turn: Turn, task: Task): number {
  return task.info.ranged ? turn.policy.sourceStreamsPerTask : 1;
}

/** Time to live of the next lease of this peer. */
export function leaseTtlMs({ policy }: Turn, { patienceMs }: Peer): number {
  return Math.min(Math.max(policy.leaseTtlMs, patienceMs), policy.leaseTtlMaxMs);
}
