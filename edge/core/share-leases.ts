/** Gives streams that have nothing to do, and hosts that joined later, the end of what others read. */
import { askShorter, mayAskShorter, streamsOf } from "./grant.ts";
import { pieceUnderWay, readingMs, unreadBytes } from "./lease-pace.ts";
import type { Lease, Peer } from "./peer.ts";
import { fairRun } from "./run-length.ts";
import { isSourceFull } from "./source-flow.ts";
import type { Task } from "./task.ts";
import type { Turn } from "./turn.ts";

/** Whether a task of which everything is granted has a lease that is long enough to be shared: looks at leases only. In a
 *  herd with more hosts than streams others have enough to do; there only what was granted to a lone reader is long. */
export function hasLongLease(turn: Turn, task: Task): boolean {
  const readerCount = task.running.size > streamsOf(turn, task) ? task.running.size : 1;
  for (const lease of task.leases.values()) if (isShareable(turn, lease, readerCount)) return true;
  return false;
}

/** Asks for the ends of leases that are longer than their holders would be granted now, when nothing else is left or the
 *  holder has more than its share. What is given back is granted when the answer comes. */
export function shareLeases(turn: Turn, task: Task, readers: readonly Peer[]): void {
  const { pieceLengthBytes } = task.info;
  const unread = new Map<Peer, number>();
  let openCount = task.pieces.leasableCount;
  for (const lease of task.leases.values()) {
    const pieces = Math.ceil(unreadBytes(lease) / pieceLengthBytes);
    unread.set(lease.peer, (unread.get(lease.peer) ?? 0) + pieces);
    openCount += pieces;
  }
  for (const lease of task.leases.values()) {
    const hasMuch = task.pieces.leasableCount === 0 || (unread.get(lease.peer) ?? 0) * readers.length > openCount;
    if (!hasMuch || !isShareable(turn, lease, readers.length)) continue;
    const kept =
      readers.length === 1
        ? Math.ceil(openCount / turn.policy.leaseRunsPerHost)
        : fairRun(turn, lease.peer, readers.length, openCount);
    const pieceCount = pieceUnderWay(lease) + kept - lease.firstPiece;
    const freedBytes = (lease.pieceCount - pieceCount) * pieceLengthBytes;
    if (isWorthIt(turn, lease, freedBytes, readers.length)) askShorter(turn, lease, pieceCount);
  }
}

function isShareable(turn: Turn, lease: Lease, readerCount: number): boolean {
  return mayAskShorter(lease, turn.nowMs) && isWorthIt(turn, lease, unreadBytes(lease), readerCount);
}

/** A stream that is cut off was partly sent in vain, and the rest costs another request. So it must be known to be slow for
 *  what it has to bring. Among several the gain is only who reads it; one that reads alone gains the time. */
function isWorthIt({ policy }: Turn, lease: Lease, bytes: number, readerCount: number): boolean {
  const leftMs = readingMs(lease, bytes, policy);
  if (lease.readBytes === 0 || leftMs <= policy.leaseLongRunMs) return false;
  const { pieces, flow } = lease.peer.task;
  // Others have nothing to do, and all wait for it.
  if (pieces.leasableCount === 0 && leftMs > policy.leaseSlowMs && !isSourceFull(flow, readerCount, policy))
    return true;
  return bytes >= (readerCount > 1 ? policy.leaseShareBytes : policy.leaseLoneShareBytes);
}
