/** A host that served bytes other than the digest says: nobody uses it for a while. It may still take from others. */
import { leaveTraders } from "./holdings.ts";
import type { Host } from "./host.ts";
import { revokeLeases } from "./leases.ts";
import { tellOfItself, unlinkAll } from "./links.ts";
import { meet } from "./neighbours.ts";
import { recordHost } from "./presence.ts";
import { enter } from "./standing.ts";
import { send, type Turn, wakeBy } from "./turn.ts";

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

/** The ban is over: what the host holds counts again, and others are sent to it. */
export function unbanHost(turn: Turn, host: Host): void {
  host.bannedUntilMs = null;
  recordHost(turn, host);
  for (const peer of host.peers.values()) {
    enter(turn, peer);
    tellOfItself(turn, peer);
    meet(turn, peer);
  }
}
