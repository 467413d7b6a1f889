/** Who reads what from the source next: docs/protocol.md, "Leases". */

import { isBanned } from "./host.ts";
import { nextLeaseId, openLease, outstandingBytes } from "./lease-book.ts";
import type { Peer } from "./peer.ts";
import type { Run } from "./piece-ledger.ts";
import type { Policy } from "./policy.ts";
import { waitsForSeed } from "./seeds.ts";
import type { Task } from "./task.ts";
import { notesFor, type Turn, wakeBy } from "./turn.ts";

/** Grants runs of pieces that nobody holds or reads, until readers or streams run out. */
export function grantLeases(turn: Turn, task: Task): void {
  if (task.pieces.leasableCount === 0 || task.recovery !== undefined) return;
  const streams = streamsOf(turn, task);
  if (task.leases.size >= streams) return;
  const readers = readersOf(turn, task);
  while (task.leases.size < streams) {
    const reader = nextReader(readers, turn);
    if (reader === undefined) return;
    const run = task.pieces.nextRun(runLength(turn, reader, readers.length, task.pieces.leasableCount));
    if (run === undefined) return;
    grant(turn, reader, run, (piece) => task.pieces.isLeasable(piece));
  }
}

/** Runs of this task that the source bears at a time. */
export function streamsOf(turn: Turn, task: Task): number {
  return task.info.ranged ? turn.policy.sourceStreamsPerTask : 1;
}

/** @param isOpen which pieces of the run it is to read; no lease must cover them */
export function grant(turn: Turn, reader: Peer, run: Run, isOpen: (piece: number) => boolean): void {
  const { task } = reader;
  // Without ranges a stream starts at the first byte, whatever is held already.
  const covered = task.info.ranged ? run : { firstPiece: 0, pieceCount: task.pieceCount };
  const lease = openLease(reader, nextLeaseId(task), covered, isOpen, leaseTtlMs(turn, reader), turn.nowMs);
  notesFor(turn, reader).granted.push(lease);
  reader.refused = false;
  wakeBy(turn, turn.nowMs + lease.ttlMs);
}

/** Whether the shard may hand this peer work at the source at all. */
export function mayRead(turn: Turn, peer: Peer): boolean {
  return (
    peer.stated &&
    peer.host.presence === "online" &&
    !isBanned(peer.host, turn.nowMs) &&
    turn.nowMs >= peer.leaseBackoffUntilMs
  );
}

/** Time to live of the next lease of this peer. */
export function leaseTtlMs({ policy }: Turn, { patienceMs }: Peer): number {
  return Math.min(Math.max(policy.leaseTtlMs, patienceMs), policy.leaseTtlMaxMs);
}

/** Whoever let a lease expire is passed over for a while, and until it is heard again (its host may be frozen), as long as
 *  there is somebody else. */
export function livelyOf(turn: Turn, able: readonly Peer[]): readonly Peer[] {
  const lively = able.filter(
    ({ expiredAtMs, host }) => host.lastSeenAtMs > expiredAtMs && turn.nowMs >= expiredAtMs + turn.policy.leaseTtlMs,
  );
  return lively.length > 0 ? lively : able;
}

/** Seeds alone while one takes part; nobody while one was told to come; else everybody. */
function readersOf(turn: Turn, task: Task): readonly Peer[] {
  const readers = livelyOf(
    turn,
    [...task.running].filter((peer) => mayRead(turn, peer)),
  );
  const seeds = readers.filter((peer) => peer.host.info.role === "seed");
  if (seeds.length > 0) return seeds;
  return waitsForSeed(turn, task) ? [] : readers;
}

/** Who reads least now comes first, then who was given least so far; then chance. */
export function nextReader(readers: readonly Peer[], turn: Turn): Peer | undefined {
  let best: Peer | undefined;
  let ties = 0;
  for (const peer of readers) {
    if (!hasRoom(peer, readers.length, turn.policy)) continue;
    const order = best === undefined ? -1 : compareReaders(peer, best);
    if (order > 0) continue;
    ties = order < 0 ? 1 : ties + 1;
    if (order < 0 || turn.random() * ties < 1) best = peer;
  }
  return best;
}

function compareReaders(a: Peer, b: Peer): number {
  return a.leases.size - b.leases.size || a.grantedPieceCount - b.grantedPieceCount;
}

function hasRoom(peer: Peer, readerCount: number, policy: Policy): boolean {
  const share = Math.max(1, Math.floor(policy.sourceStreamsPerTask / readerCount));
  return (
    peer.leases.size < Math.min(policy.leaseRunsPerHost, share) &&
    outstandingBytes(peer) + peer.task.info.pieceLengthBytes <= policy.leaseBytesPerHost
  );
}

/** Pieces of the next run: short when few pieces are open to many hosts, so that all of them get something to trade. */
export function runLength({ policy }: Turn, reader: Peer, readerCount: number, openCount: number): number {
  const { info } = reader.task;
  if (!info.ranged) return reader.task.pieceCount;
  const fairPieces = Math.ceil(openCount / (policy.leaseRunsPerHost * readerCount));
  const provenBytes = Math.max(policy.leaseStartBytes, reader.readPieceCount * info.pieceLengthBytes);
  const roomBytes = policy.leaseBytesPerHost - outstandingBytes(reader);
  const mostPieces = Math.floor(Math.min(policy.leaseRunBytes, provenBytes, roomBytes) / info.pieceLengthBytes);
  return Math.max(1, Math.min(fairPieces, mostPieces));
}
