/** What becomes of leases once they are granted: docs/protocol.md, "Leases". */
import { hasPiece } from "../../schema/bitfield.ts";
import type { LeaseId } from "../../schema/ids.ts";
import type { LeaseProgress } from "../../schema/wire/peer-message.ts";
import { isOutOfReach } from "./avoid.ts";
import { isCutOff } from "./cut-off.ts";
import { leaseTtlMs, mayRead } from "./grant-leases.ts";
import { isBanned } from "./host.ts";
import { closeLease, keepAlive, openLease } from "./lease-book.ts";
import type { Lease, Peer } from "./peer.ts";
import type { Policy } from "./policy.ts";
import { waitsForSeed } from "./seeds.ts";
import { NEVER_MS } from "./swarm.ts";
import type { SourceProblem, Task } from "./task.ts";
import { notesFor, send, type Turn, wakeBy } from "./turn.ts";

/** A peer says how far it is: a lease that grows is alive. One it holds no longer is revoked once more, unless it is
 *  simply done. */
export function followLeases(turn: Turn, peer: Peer, stated: readonly LeaseProgress[]): void {
  for (const progress of stated) {
    const lease = ownLease(peer, progress.leaseId);
    if (lease !== undefined) advance(turn, lease, progress.readBytes);
    else if (!holdsRun(peer, progress)) notesFor(turn, peer).revoked.add(progress.leaseId);
  }
}

/** A peer states which leases it is reading. Those this memory does not know it takes over, as long as nobody else has the
 *  right to the pieces; what cannot be taken over is revoked. */
export function adoptLeases(turn: Turn, peer: Peer, stated: readonly LeaseProgress[]): void {
  for (const progress of stated) {
    const lease = ownLease(peer, progress.leaseId);
    if (lease !== undefined) advance(turn, lease, progress.readBytes);
    else if (isAdoptable(turn, peer, progress)) adopt(turn, peer, progress);
    else if (!holdsRun(peer, progress)) notesFor(turn, peer).revoked.add(progress.leaseId);
  }
}

/** Ends leases; the peer is told to stop. */
export function revokeLeases(turn: Turn, peer: Peer, kept: ReadonlySet<LeaseId> = new Set()): void {
  for (const lease of [...peer.leases]) {
    if (kept.has(lease.leaseId)) continue;
    closeLease(lease);
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
    if (lease !== undefined) closeLease(lease);
  }
  if (problem !== undefined) peer.task.sourceProblem = problem;
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
    peer.expiredAtMs = turn.nowMs;
    peer.patienceMs = Math.max(peer.patienceMs, 2 * lease.ttlMs);
    wakeBy(turn, turn.nowMs + turn.policy.leaseTtlMs);
    closeLease(lease);
    notesFor(turn, peer).revoked.add(lease.leaseId);
    turn.touched.add(task);
  }
}

/** When nobody who wants the task may read the source, and nobody holds or reads what is missing, they are told why. */
export function refuseHopeless(turn: Turn, task: Task): void {
  if (task.recovery !== undefined || task.leases.size > 0 || task.pieces.unheldCount === 0) return;
  for (const peer of task.running) if (obstacleOf(turn, peer) === undefined) return;
  if (waitsForSeed(turn, task)) return;
  for (const peer of task.running) tellRefused(turn, peer, obstacleOf(turn, peer));
}

/** The same for peers that are cut off from what others hold: nobody they can reach may read it, or reads, either. */
export function refuseCutOff(turn: Turn, task: Task): void {
  for (const peer of task.running) {
    if (!peer.cutOff || peer.refused || peer.leases.size > 0) continue;
    if (obstacleOf(turn, peer) === undefined || !isCutOff(turn, peer)) continue;
    const within = [...task.running].filter((other) => !isOutOfReach(turn, peer, other));
    if (within.every((other) => other.leases.size === 0 && obstacleOf(turn, other) !== undefined)) {
      tellRefused(turn, peer, obstacleOf(turn, peer));
    }
  }
}

/** Readers that come and go may find out one after the other that the source is silent, so that never all of them know at
 *  once: who waited long enough is told anyway. */
export function refuseSilent(turn: Turn, task: Task): void {
  for (const peer of task.running) {
    if (peer.refused || turn.nowMs < silentAtMs(peer, turn.policy)) continue;
    if (task.pieces.unheldCount === 0 && !isCutOff(turn, peer)) continue;
    const minutes = Math.round(turn.policy.sourceSilentMs / 60_000);
    const message = `The source sent nothing to any host for ${minutes} minutes, and no host that could be reached has the rest: check that it answers, and ask again`;
    tellRefused(turn, peer, { code: "source-unreachable", message });
  }
}

/** When this peer counts as waiting for a silent source; `NEVER_MS` while it does not wait for the source. */
export function silentAtMs({ task, movedAtMs, cutOff }: Peer, policy: Policy): number {
  if (task.recovery !== undefined || (task.pieces.unheldCount === 0 && !cutOff)) return NEVER_MS;
  return Math.max(movedAtMs, task.sourceMovedAtMs) + policy.sourceSilentMs;
}

function tellRefused(turn: Turn, peer: Peer, problem: SourceProblem | undefined): void {
  if (peer.refused || problem === undefined) return;
  peer.refused = true;
  send(turn, peer.host, { type: "refused", taskId: peer.task.info.taskId, ...problem });
}

const BANNED: SourceProblem = {
  code: "forbidden",
  message:
    "This host served bytes that differ from their digests, so it may not read the source for others now, and nobody has all of the task: check its disk and memory, and try again later",
};

/** Why this peer may not read the source, beyond waiting for its turn. */
function obstacleOf(turn: Turn, peer: Peer): SourceProblem | undefined {
  if (isBanned(peer.host, turn.nowMs)) return BANNED;
  const failed = peer.sourceFailed && turn.nowMs < peer.leaseBackoffUntilMs;
  return failed ? peer.task.sourceProblem : undefined;
}

function ownLease(peer: Peer, leaseId: LeaseId): Lease | undefined {
  const lease = peer.task.leases.get(leaseId);
  return lease?.peer === peer ? lease : undefined;
}

function advance(turn: Turn, lease: Lease, readBytes: number): void {
  if (readBytes <= lease.readBytes) return;
  lease.readBytes = readBytes;
  keepAlive(lease, turn.nowMs);
}

function isAdoptable(turn: Turn, peer: Peer, { leaseId, firstPiece, pieceCount }: LeaseProgress): boolean {
  const { task } = peer;
  const { leaseRunsPerHost, sourceStreamsPerTask } = turn.policy;
  const end = firstPiece + pieceCount;
  if (peer.state !== "running" || !mayRead(turn, peer)) return false;
  if (task.leases.has(leaseId) || end > task.pieceCount) return false;
  if (!task.info.ranged && task.leases.size > 0) return false;
  if (peer.leases.size >= leaseRunsPerHost || task.leases.size >= sourceStreamsPerTask) return false;
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
  wakeBy(turn, turn.nowMs + lease.ttlMs);
}

function holdsRun(peer: Peer, { firstPiece, pieceCount }: LeaseProgress): boolean {
  const end = Math.min(firstPiece + pieceCount, peer.task.pieceCount);
  for (let piece = firstPiece; piece < end; piece++) if (!hasPiece(peer.bitfield, piece)) return false;
  return true;
}
