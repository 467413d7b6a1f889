/** What becomes of leases once they are granted: docs/protocol.md, "Leases". */
import { hasPiece } from "../../schema/bitfield.ts";
import type { LeaseId } from "../../schema/ids.ts";
import type { LeaseProgress } from "../../schema/wire/peer-message.ts";
import { leaseTtlMs, wakeForBudget } from "./grant.ts";
import { obstacleOf } from "./hopeless.ts";
import { closeLease, keepAlive, openLease, shortenLease } from "./lease-book.ts";
import { unreadBytes } from "./lease-pace.ts";
import type { Lease, Peer } from "./peer.ts";
import { mayRead, mostLeases } from "./readers.ts";
import { refund, spend } from "./source-budget.ts";
import type { SourceProblem, Task } from "./task.ts";
import { notesFor, type Turn, wakeBy } from "./turn.ts";

/** A peer says how far it is: a lease that grows is alive, and one that is shorter than it was granted ends there. One it
 *  holds no longer is revoked once more, unless it is simply done. */
export function followLeases(turn: Turn, peer: Peer, stated: readonly LeaseProgress[]): void {
  for (const progress of stated) {
    const lease = ownLease(peer, progress.leaseId);
    if (lease !== undefined) advance(turn, lease, progress);
    else if (!holdsRun(peer, progress)) refuseLease(turn, peer, progress.leaseId, "unknown");
  }
}

/** A peer states which leases it is reading. Those this memory does not know it takes over, as long as nobody else has the
 *  right to the pieces; what cannot be taken over is revoked. */
export function adoptLeases(turn: Turn, peer: Peer, stated: readonly LeaseProgress[]): void {
  for (const progress of stated) {
    const lease = ownLease(peer, progress.leaseId);
    if (lease !== undefined) advance(turn, lease, progress);
    else if (isAdoptable(turn, peer, progress)) adopt(turn, peer, progress);
    else if (!holdsRun(peer, progress)) refuseLease(turn, peer, progress.leaseId, "not-adopted");
  }
}

/** Ends leases; the peer is told to stop. */
export function revokeLeases(turn: Turn, peer: Peer, kept: ReadonlySet<LeaseId> = new Set()): void {
  for (const lease of [...peer.leases]) {
    if (kept.has(lease.leaseId)) continue;
    endLease(turn, lease);
    turn.swarm.tallies.leasesEnded.revoked++;
    notesFor(turn, peer).revoked.add(lease.leaseId);
  }
}

/** A peer hands leases back. It gets none for a while: the pieces are for others, and it would return them again. */
export function returnLeases(
  turn: Turn,
  peer: Peer,
  leaseIds: readonly LeaseId[],
  problem: SourceProblem | undefined,
): void {
  for (const leaseId of leaseIds) {
    const lease = ownLease(peer, leaseId);
    if (lease === undefined) continue;
    endLease(turn, lease);
    turn.swarm.tallies.leasesEnded[problem === undefined ? "returned" : "source-failed"]++;
  }
  if (problem !== undefined) peer.task.sourceProblem = problem;
  if (problem !== undefined && peer.host.info.role !== "seed" && peer.task.seedHelp === "given") {
    peer.task.seedHelp = "refused";
  }
  peer.sourceFailed = problem !== undefined || obstacleOf(turn, peer) !== undefined;
  backOff(turn, peer, problem === undefined ? turn.policy.leaseTtlMs : turn.policy.sourceBackoffMs);
}

/** No lease of this task for a while. */
export function backOff(turn: Turn, peer: Peer, durationMs: number): void {
  peer.leaseBackoffUntilMs = Math.max(peer.leaseBackoffUntilMs, turn.nowMs + durationMs);
  wakeBy(turn, peer.leaseBackoffUntilMs);
}

/** Ends leases that showed no progress in their time. A source may only be slow, or its reader about to find out that it is
 *  silent: the next leases of that reader live twice as long. */
export function expireLeases(turn: Turn, task: Task): void {
  for (const lease of [...task.leases.values()]) {
    const { peer } = lease;
    if (turn.nowMs - lease.aliveAtMs < lease.ttlMs) continue;
    peer.patienceMs = Math.max(peer.patienceMs, 2 * lease.ttlMs);
    expire(turn, lease, "expired");
    turn.touched.add(task);
  }
}

/** Ends a lease; its reader is passed over for a while. */
export function expire(turn: Turn, lease: Lease, reason: "expired" | "frozen" | "slow"): void {
  const { peer } = lease;
  turn.swarm.tallies.leasesEnded[reason]++;
  peer.expiredAtMs = turn.nowMs;
  wakeBy(turn, turn.nowMs + turn.policy.leaseTtlMs);
  endLease(turn, lease);
  notesFor(turn, peer).revoked.add(lease.leaseId);
}

function endLease(turn: Turn, lease: Lease): void {
  giveBack(turn, lease.peer.task, unreadBytes(lease));
  closeLease(lease);
}

function giveBack(turn: Turn, task: Task, bytes: number): void {
  refund(task, bytes, turn.policy);
  wakeForBudget(turn, task);
}

function refuseLease(turn: Turn, peer: Peer, leaseId: LeaseId, reason: "unknown" | "not-adopted"): void {
  turn.swarm.tallies.leasesRefused[reason]++;
  notesFor(turn, peer).revoked.add(leaseId);
}

function ownLease(peer: Peer, leaseId: LeaseId): Lease | undefined {
  const lease = peer.task.leases.get(leaseId);
  return lease?.peer === peer ? lease : undefined;
}

function advance(turn: Turn, lease: Lease, stated: LeaseProgress): void {
  const { firstPiece, pieceCount, readBytes, backlogBytes } = stated;
  if (readBytes > lease.readBytes) {
    lease.readBytes = readBytes;
    keepAlive(lease, turn.nowMs);
  }
  lease.statedAtMs = turn.nowMs;
  if (backlogBytes !== undefined) lease.peer.backlogAtMs = turn.nowMs;
  // Somebody waits for what it says.
  if (lease.askedAtMs > Number.NEGATIVE_INFINITY) lease.peer.task.endGameAtMs = turn.nowMs;
  const isShorter = firstPiece === lease.firstPiece && pieceCount < lease.pieceCount;
  if (lease.askedShorter && !isShorter) lease.mayAskAtMs = turn.nowMs + turn.policy.leaseAskAgainMs;
  lease.askedShorter = false;
  if (!isShorter || !lease.peer.task.info.ranged) return;
  const before = unreadBytes(lease);
  shortenLease(lease, pieceCount);
  giveBack(turn, lease.peer.task, before - unreadBytes(lease));
  turn.swarm.tallies.leasesShortened.given++;
}

function isAdoptable(turn: Turn, peer: Peer, { leaseId, firstPiece, pieceCount }: LeaseProgress): boolean {
  const { task } = peer;
  const { sourceStreamsPerTask } = turn.policy;
  const end = firstPiece + pieceCount;
  if (peer.state !== "running" || !mayRead(turn, peer)) return false;
  if (task.leases.has(leaseId) || end > task.pieceCount) return false;
  if (!task.info.ranged && task.leases.size > 0) return false;
  if (peer.leases.size >= mostLeases(turn.policy) || task.leases.size >= sourceStreamsPerTask) return false;
  let leasable = false;
  for (let piece = firstPiece; piece < end; piece++) {
    if (task.pieces.isLeasable(piece)) leasable = true;
    // What it holds itself it has read already; anything else belongs to another.
    else if (!hasPiece(peer.bitfield, piece)) return false;
  }
  return leasable;
}

function adopt(turn: Turn, peer: Peer, { leaseId, firstPiece, pieceCount, readBytes }: LeaseProgress): void {
  const isOpen = (piece: number) => peer.task.pieces.isLeasable(piece);
  const lease = openLease(peer, leaseId, { firstPiece, pieceCount }, isOpen, leaseTtlMs(turn, peer), turn.nowMs);
  lease.readBytes = readBytes;
  spend(peer.task, unreadBytes(lease), turn.policy, turn.nowMs);
  wakeForBudget(turn, peer.task);
  wakeBy(turn, turn.nowMs + lease.ttlMs);
}

function holdsRun(peer: Peer, { firstPiece, pieceCount }: LeaseProgress): boolean {
  const end = Math.min(firstPiece + pieceCount, peer.task.pieceCount);
  for (let piece = firstPiece; piece < end; piece++) if (!hasPiece(peer.bitfield, piece)) return false;
  return true;
}
