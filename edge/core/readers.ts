/** Who may read the source, and whose turn it is. */
import { isBanned } from "./host.ts";
import { outstandingBytes } from "./lease-book.ts";
import { isNearlyRead } from "./lease-pace.ts";
import type { Peer } from "./peer.ts";
import type { Policy } from "./policy.ts";
import { helpsSeeds } from "./seed-help.ts";
import { waitsForSeed } from "./seeds.ts";
import { swiftOf } from "./slow-hosts.ts";
import type { Task } from "./task.ts";
import type { Turn } from "./turn.ts";

/** Whether the shard may hand this peer work at the source at all. */
export function mayRead(turn: Turn, peer: Peer): boolean {
  return (
    peer.stated &&
    peer.host.presence === "online" &&
    !isBanned(peer.host, turn.nowMs) &&
    turn.nowMs >= peer.leaseBackoffUntilMs
  );
}

/** Whoever let a lease expire is passed over for a while, and until it is heard again (its host may be frozen), as long as
 *  there is somebody else. */
export function livelyOf(turn: Turn, able: readonly Peer[]): readonly Peer[] {
  const lively = able.filter(
    ({ expiredAtMs, host }) => host.lastSeenAtMs > expiredAtMs && turn.nowMs >= expiredAtMs + turn.policy.leaseTtlMs,
  );
  return lively.length > 0 ? lively : able;
}

/** Seeds alone while one takes part and they hold nobody up; nobody while one was told to come; else everybody who is
 *  not slow. */
export function readersOf(turn: Turn, task: Task): readonly Peer[] {
  const readers = livelyOf(
    turn,
    [...task.running].filter((peer) => mayRead(turn, peer)),
  );
  const seeds = readers.filter((peer) => peer.host.info.role === "seed");
  if (seeds.length > 0) return helpsSeeds(turn, task, seeds) ? readers : seeds;
  return waitsForSeed(turn, task) ? [] : swiftOf(turn, readers);
}

/** Who reads least now comes first, then who was given least so far; then chance. */
export function nextReader(readers: readonly Peer[], turn: Turn): Peer | undefined {
  let best: Peer | undefined;
  let ties = 0;
  for (const peer of readers) {
    if (!hasRoom(turn, peer, readers.length)) continue;
    const order = best === undefined ? -1 : compareReaders(peer, best);
    if (order > 0) continue;
    ties = order < 0 ? 1 : ties + 1;
    if (order < 0 || turn.random() * ties < 1) best = peer;
  }
  return best;
}

/** Runs this peer may begin now. One that is nearly read makes room for the next, so that its reader never waits for us. */
export function freeStreams(turn: Turn, peer: Peer, readerCount: number): number {
  const { policy } = turn;
  // Rounded up: streams that do not divide go to those who read least.
  const share = Math.ceil(policy.sourceStreamsPerTask / readerCount);
  const most = Math.min(policy.leaseRunsPerHost, share);
  let busy = 0;
  for (const lease of peer.leases) if (!isNearlyRead(turn, lease)) busy++;
  return Math.min(most - busy, 2 * most - peer.leases.size);
}

/** Leases one host has at the very most: each of its runs nearly read with the next granted, and readers that wait. */
export function mostLeases({ leaseRunsPerHost, leaseCursorRuns }: Policy): number {
  return 2 * leaseRunsPerHost + leaseCursorRuns;
}

function hasRoom(turn: Turn, peer: Peer, readerCount: number): boolean {
  if (freeStreams(turn, peer, readerCount) <= 0) return false;
  // What one host reads alone it takes from nobody.
  if (readerCount === 1) return true;
  return outstandingBytes(peer) + peer.task.info.pieceLengthBytes <= turn.policy.leaseBytesPerHost;
}

function compareReaders(a: Peer, b: Peer): number {
  return a.leases.size - b.leases.size || a.grantedPieceCount - b.grantedPieceCount;
}
