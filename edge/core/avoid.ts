/** Pairs that could not trade: they are not brought together again for a while, longer with each failure. */
import type { Host } from "./host.ts";
import type { Peer } from "./peer.ts";
import { type Turn, wakeBy } from "./turn.ts";

/** What a child remembers of a host that failed it as a parent. */
export interface Avoidance {
  /** The host as it was then: one that moved or began anew may do better. */
  readonly address: string;
  readonly startedAtMs: number;
  readonly faults: number;
  readonly sinceMs: number;
}

export function avoid(turn: Turn, peer: Peer, { info }: Host): void {
  const faults = (avoidanceOf(peer, info)?.faults ?? 0) + 1;
  // The youngest last: the oldest are forgotten first.
  peer.avoid.delete(info.hostId);
  for (const hostId of peer.avoid.keys()) if (peer.avoid.size >= turn.policy.avoidedPerPeer) peer.avoid.delete(hostId);
  const { address, startedAtMs } = info;
  peer.avoid.set(info.hostId, { address, startedAtMs, faults, sinceMs: turn.nowMs });
  if (!peer.task.wary.has(peer)) peer.providedAtMs = Math.max(peer.providedAtMs, peer.task.providedAtMs);
  peer.task.wary.add(peer);
  // It may get nothing from now on.
  wakeBy(turn, turn.nowMs + turn.policy.stallMs);
}

/** Whether this peer should not be sent to the other now. */
export function avoids(turn: Turn, peer: Peer, other: Peer): boolean {
  const avoidance = avoidanceOf(peer, other.host.info);
  if (avoidance === undefined) return false;
  const doublings = Math.min(avoidance.faults - 1, turn.policy.avoidDoublings);
  return turn.nowMs < avoidance.sinceMs + turn.policy.avoidMs * 2 ** doublings;
}

/** Whether this peer had trouble with the other just now. After that it need not keep the other from it: a host that
 *  nobody can reach may reach others itself. */
export function avoidsJustNow(turn: Turn, peer: Peer, other: Peer): boolean {
  const avoidance = avoidanceOf(peer, other.host.info);
  return avoidance !== undefined && turn.nowMs < avoidance.sinceMs + turn.policy.avoidMs;
}

/** Whether this peer can get nothing from the other, as far as is known: it failed, and they were not brought together
 *  again. */
export function isOutOfReach(turn: Turn, peer: Peer, other: Peer): boolean {
  if (avoidanceOf(peer, other.host.info) === undefined) return false;
  return !peer.neighbours.has(other) || avoids(turn, peer, other);
}

function avoidanceOf(peer: Peer, { hostId, address, startedAtMs }: Host["info"]): Avoidance | undefined {
  const found = peer.avoid.get(hostId);
  return found?.address === address && found.startedAtMs === startedAtMs ? found : undefined;
}
