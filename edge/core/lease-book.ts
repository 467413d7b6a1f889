/** The leases of a task as data: every piece is under at most one. Who gets them is decided in `leases.ts`. */
import type { LeaseId } from "../../schema/ids.ts";
import { unreadBytes } from "./lease-pace.ts";
import type { Lease, Peer } from "./peer.ts";
import { NO_LEASE, type Run } from "./piece-ledger.ts";
import type { Task } from "./task.ts";

/** Puts the open pieces of a run under a new lease. There must be one at least, and no lease may cover it. */
export function openLease(
  peer: Peer,
  leaseId: LeaseId,
  run: Run,
  isOpen: (piece: number) => boolean,
  ttlMs: number,
  nowMs: number,
): Lease {
  const { task } = peer;
  const serial = ++task.leaseCount;
  let openCount = 0;
  for (let piece = run.firstPiece; piece < run.firstPiece + run.pieceCount; piece++) {
    if (!isOpen(piece)) continue;
    task.pieces.lease(piece, serial);
    openCount++;
  }
  const fresh = {
    readBytes: 0,
    grantedAtMs: nowMs,
    aliveAtMs: nowMs,
    longestSilenceMs: 0,
    askedShorter: false,
    mayAskAtMs: nowMs,
    askedAtMs: Number.NEGATIVE_INFINITY,
    statedAtMs: nowMs,
  };
  const lease: Lease = { leaseId, serial, peer, ...run, openCount, ttlMs, ...fresh };
  task.leases.set(leaseId, lease);
  peer.leases.add(lease);
  peer.grantedPieceCount += openCount;
  return lease;
}

/** The pieces that were not read can be leased again. */
export function closeLease(lease: Lease): void {
  const { task } = lease.peer;
  task.leases.delete(lease.leaseId);
  lease.peer.leases.delete(lease);
  for (let piece = lease.firstPiece; lease.openCount > 0; piece++) {
    if (task.pieces.leaseOf(piece) !== lease.serial) continue;
    task.pieces.unlease(piece);
    lease.openCount--;
  }
}

/** Its holder gives the end back: those pieces can be leased again. */
export function shortenLease(lease: Lease, pieceCount: number): void {
  const { pieces } = lease.peer.task;
  const end = lease.firstPiece + lease.pieceCount;
  for (let piece = lease.firstPiece + pieceCount; piece < end; piece++) {
    if (pieces.leaseOf(piece) !== lease.serial) continue;
    pieces.unlease(piece);
    lease.openCount--;
  }
  lease.pieceCount = pieceCount;
  if (lease.openCount === 0) closeLease(lease);
}

/** It shows progress, so the source needs no more patience than it had to have with this lease. */
export function keepAlive(lease: Lease, nowMs: number): void {
  const { peer } = lease;
  lease.longestSilenceMs = Math.max(lease.longestSilenceMs, nowMs - lease.aliveAtMs);
  lease.aliveAtMs = nowMs;
  peer.patienceMs = Math.min(peer.patienceMs, 2 * lease.longestSilenceMs);
  peer.task.sourceMovedAtMs = nowMs;
}

/** The peer has a piece now; if it was to read it, that is done. A lease whose pieces are all read is over. */
export function readUnderLease(peer: Peer, piece: number, nowMs: number): void {
  const lease = leaseOver(peer, piece);
  if (lease === undefined) return;
  peer.task.pieces.unlease(piece);
  peer.readPieceCount++;
  lease.openCount--;
  keepAlive(lease, nowMs);
  if (lease.openCount === 0) closeLease(lease);
}

/** The lease under which this peer reads the piece. */
export function leaseOver(peer: Peer, piece: number): Lease | undefined {
  const serial = peer.task.pieces.leaseOf(piece);
  if (serial === NO_LEASE) return undefined;
  for (const lease of peer.leases) if (lease.serial === serial) return lease;
  return undefined;
}

/** The lease under which anybody reads the piece. */
export function leaseAt(task: Task, piece: number): Lease | undefined {
  const serial = task.pieces.leaseOf(piece);
  if (serial === NO_LEASE) return undefined;
  for (const lease of task.leases.values()) if (lease.serial === serial) return lease;
  return undefined;
}

export function outstandingBytes(peer: Peer): number {
  let bytes = 0;
  for (const lease of peer.leases) bytes += unreadBytes(lease);
  return bytes;
}

/** An id no lease of the task has, not even one that was taken over from an earlier memory. */
export function nextLeaseId(task: Task): LeaseId {
  for (let number = task.leaseCount + 1; ; number++) {
    const leaseId = `${task.leasePrefix}-${number.toString(36)}` as LeaseId;
    if (!task.leases.has(leaseId)) return leaseId;
  }
}
