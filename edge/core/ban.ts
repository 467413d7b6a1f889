/** A host that served bytes other than the digest says: nobody uses it for a while. It may still take from others. */
import { leaveTraders } from "./holdings.ts";
import type { Host } from "./host.ts";
import { revokeLeases } from "./leases.ts";
import { unlinkAll } from "./links.ts";
import { recordHost } from "./presence.ts";
import { askResync, send, type Turn, wakeBy } from "./turn.ts";

export function banHost(turn: Turn, host: Host): void {
  host.bannedUntilMs = turn.nowMs + turn.policy.corruptBanMs;
  wakeBy(turn, host.bannedUntilMs);
  recordHost(turn, host);
  for (const peer of host.peers.values()) {
    revokeLeases(turn, peer);
    unlinkAll(turn, peer);
    leaveTraders(peer);
    turn.touched.add(peer.task);
  }
  const { hostId } = host.info;
  for (const other of turn.swarm.hosts.values()) if (other !== host) send(turn, other, { type: "ban", hostId });
}

/** The ban is over: the host states what it holds, and counts again. */
export function unbanHost(turn: Turn, host: Host): void {
  host.bannedUntilMs = null;
  recordHost(turn, host);
  if (host.presence !== "online") return;
  // What it stated while it was banned did not count, however recently.
  host.resyncAskedAtMs = Number.NEGATIVE_INFINITY;
  askResync(turn, host.info.hostId);
}
