/** A reader whose process stopped, or whose machine froze, keeps its connections: it is known by its silence towards everybody.
 *  A source that keeps its reader waiting keeps nobody from answering. */
import { askHowFar } from "./grant.ts";
import type { Host } from "./host.ts";
import { expire } from "./leases.ts";
import type { Policy } from "./policy.ts";
import { type Turn, wakeBy } from "./turn.ts";

/** A host does not answer another. When we did not hear it for a while either it may be frozen: it is asked how far one of its
 *  leases is, and looked at again. */
export function suspectFrozen(turn: Turn, host: Host): void {
  if (host.suspectedAtMs !== undefined || host.lastSeenAtMs > turn.nowMs - turn.policy.frozenAfterMs) return;
  for (const { leases } of host.peers.values()) {
    const [lease] = leases;
    if (lease === undefined) continue;
    askHowFar(turn, lease);
    break;
  }
  host.suspectedAtMs = turn.nowMs;
  wakeBy(turn, recheckAtMs(host, turn.policy));
}

/** Ends the leases of a host that is still silent when it is time to look at it again. */
export function expireFrozen(turn: Turn, host: Host): void {
  const { nowMs, policy } = turn;
  const { suspectedAtMs, lastSeenAtMs } = host;
  if (suspectedAtMs === undefined) return;
  if (lastSeenAtMs >= suspectedAtMs) {
    host.suspectedAtMs = undefined;
    return;
  }
  const lateByMs = nowMs - recheckAtMs(host, policy);
  if (lateByMs < 0) return;
  host.suspectedAtMs = lateByMs > policy.lateMs ? nowMs : undefined;
  if (host.suspectedAtMs !== undefined) return;
  for (const { task, leases } of host.peers.values()) {
    const silent = [...leases].filter((lease) => lease.aliveAtMs <= suspectedAtMs - policy.frozenAfterMs);
    for (const lease of silent) expire(turn, lease, "frozen");
    if (silent.length > 0) turn.touched.add(task);
  }
}

/** When a suspected host is looked at again; never for others. */
export function recheckAtMs({ suspectedAtMs }: Host, { frozenRecheckMs }: Policy): number {
  return suspectedAtMs === undefined ? Number.POSITIVE_INFINITY : suspectedAtMs + frozenRecheckMs;
}
