/** The end of a task: all is granted, and the last pieces come from streams that are slow. A host that has nothing to do would
 *  have read them sooner, and all wait for them. */
import { askHowFar } from "./grant.ts";
import { paceBps, unreadBytes } from "./lease-pace.ts";
import { expire } from "./leases.ts";
import type { Lease, Peer } from "./peer.ts";
import type { Policy } from "./policy.ts";
import { isBusy, swiftOf } from "./slow-hosts.ts";
import { isSourceFull } from "./source-flow.ts";
import type { Task } from "./task.ts";
import { type Turn, wakeBy } from "./turn.ts";

/** A lease as far as it matters whether it is late. */
export interface Straggler {
  readonly readBytes: number;
  readonly unreadBytes: number;
  /** Its holder is a slow host (decision 0019) for its line, and not just a stream of one that is fast, or of one that is busy; and
   *  there is still something to spare for reading twice. */
  readonly isSlow: boolean;
}

/** How old a lease must be to be late: it has longer to go, at its pace until then, than its pieces are worth waiting for. Never
 *  below 0; infinite where nothing says so.
 *  @param afreshMs in which another host would read the same */
export function lateAtAgeMs({ readBytes, unreadBytes, isSlow }: Straggler, afreshMs: number, policy: Policy): number {
  if (unreadBytes <= 0) return Number.POSITIVE_INFINITY;
  // A source that does not answer yet is not slow, as far as is known.
  if (readBytes === 0) return isSlow ? policy.leaseEndMs : Number.POSITIVE_INFINITY;
  const patientMs = isSlow
    ? Math.max(policy.leaseEndMs, policy.leaseSooner * afreshMs)
    : Math.max(policy.leaseSlowMs, policy.leaseMuchSooner * afreshMs);
  // It is late when `unreadBytes * age / readBytes`, the time it has to go, is longer.
  return (patientMs * readBytes) / unreadBytes;
}

/** Whether it is time to look for late leases: a herd is not looked through for each message. */
export function isEndGameDue({ nowMs }: Turn, { leases, endGameAtMs }: Task): boolean {
  return leases.size > 0 && nowMs >= endGameAtMs;
}

/** Takes what is late from its readers, the piece under way too, which no stream gives back. They get nothing for a while. Who is
 *  not known to be as far just now is asked first: a stream reports every few seconds.
 *  @param readers who may read
 *  @returns those who may have what was taken: none when nothing was */
export function takeLate(turn: Turn, task: Task, readers: readonly Peer[]): readonly Peer[] {
  const { policy, nowMs } = turn;
  // Nor is it when nobody could take anything.
  task.endGameAtMs = nowMs + policy.progressIntervalMs;
  const swift = new Set(swiftOf(turn, [...task.running]));
  const takers = readers.filter((peer) => peer.leases.size === 0 && swift.has(peer));
  const idleBps = takers.reduce((most, peer) => Math.max(most, paceBps(turn, peer)), 0);
  if (idleBps === 0 || !task.info.ranged) return [];
  const isFull = isSourceFull(task.flow, readers.length, policy);
  const mostTakenBytes = policy.leaseTakenShare * task.info.sizeBytes;
  let nextMs = nowMs + policy.leaseEndMs;
  let taken = false;
  for (const lease of leastReadFirst(task)) {
    const isSlow = !swift.has(lease.peer) && !isBusy(turn, lease.peer) && task.takenBytes < mostTakenBytes;
    // Who takes over a part of a stream then only takes its share of the same line.
    if (isFull && swift.has(lease.peer)) continue;
    const unread = unreadBytes(lease);
    const afreshMs = ((unread + task.info.pieceLengthBytes) * 1000) / idleBps;
    const straggler = { readBytes: lease.readBytes, unreadBytes: unread, isSlow };
    const lateAtMs = lease.grantedAtMs + lateAtAgeMs(straggler, afreshMs, policy);
    if (nowMs < lateAtMs) {
      nextMs = Math.min(nextMs, lateAtMs);
    } else if (isKnown(lease, turn)) {
      expire(turn, lease, "slow");
      task.takenBytes += task.info.pieceLengthBytes;
      taken = true;
    } else {
      if (lease.askedAtMs <= lease.statedAtMs) askHowFar(turn, lease);
      nextMs = Math.min(nextMs, lease.askedAtMs + policy.frozenRecheckMs);
    }
  }
  task.endGameAtMs = Math.max(nextMs, task.endGameAtMs);
  wakeBy(turn, task.endGameAtMs);
  return taken ? takers : [];
}

/** As what may be read twice is bounded, what takes longest comes first. */
function leastReadFirst({ leases }: Task): Lease[] {
  return [...leases.values()].sort((a, b) => a.readBytes - b.readBytes);
}

/** It was reported a moment ago how far it is, or its holder was asked and does not say. */
function isKnown({ statedAtMs, askedAtMs }: Lease, { nowMs, policy }: Turn): boolean {
  if (nowMs - statedAtMs < policy.progressIntervalMs) return true;
  return askedAtMs > statedAtMs && nowMs - askedAtMs >= policy.frozenRecheckMs;
}
