/** Whether a host is there: it says hello, loses its channel, comes back, or is gone. */
import type { HostInfo } from "../../schema/wire/host.ts";
import { createHost, type Host, type Via } from "./host.ts";
import { unlinkAll } from "./links.ts";
import { recordPeer } from "./peer-packs.ts";
import { setState, withdraw } from "./standing.ts";
import { notesFor, send, type Turn, wakeBy } from "./turn.ts";

/** A host introduces itself. On a new connection it will state all its tasks; what it does not state within
 *  `offlineGraceMs` it has no more. Batches that are POSTed one after the other are one connection. */
export function greet(turn: Turn, info: HostInfo, via: Via): void {
  const { swarm, policy, nowMs } = turn;
  const known = swarm.hosts.get(info.hostId);
  const host = known ?? createHost(info, nowMs);
  swarm.hosts.set(info.hostId, host);
  const continues =
    host.presence === "online" && host.via === "post" && via === "post" && host.info.startedAtMs === info.startedAtMs;
  const changed = known === undefined || !isSameInfo(host.info, info);
  if (changed) for (const peer of host.peers.values()) unlinkAll(turn, peer);
  host.info = info;
  host.presence = "online";
  host.via = via;
  host.lastSeenAtMs = nowMs;
  wakeBy(turn, nowMs + policy.hostSilentMs);
  if (info.role === "seed") swarm.seeds.add(host);
  else swarm.seeds.delete(host);
  if (changed) recordHost(turn, host);
  if (!continues) expectStatements(turn, host);
  for (const peer of host.peers.values()) peer.hearsDigests = false;
  send(turn, host, {
    type: "welcome",
    shard: swarm.shard,
    shardCount: swarm.shardCount,
    heartbeatIntervalMs: policy.heartbeatIntervalMs,
    progressIntervalMs: policy.progressIntervalMs,
  });
}

/** Its channel dropped: for `offlineGraceMs` it keeps what it has, and gets nothing new. */
export function loseChannel(turn: Turn, host: Host): void {
  if (host.presence !== "online") return;
  host.presence = "away";
  host.awayUntilMs = turn.nowMs + turn.policy.offlineGraceMs;
  turn.swarm.seeds.delete(host);
  // Others may read the source now, when it was the only seed.
  for (const peer of host.peers.values()) turn.touched.add(peer.task);
  wakeBy(turn, host.awayUntilMs);
}

/** A neighbour cannot reach it, either: its process ended. One whose channel alone was lost would answer, and one that was cut off
 *  for a moment has `goneAfterMs` to come back. */
export function suspectGone(turn: Turn, host: Host): void {
  if (host.presence !== "away") return;
  host.awayUntilMs = Math.min(host.awayUntilMs, turn.nowMs + turn.policy.goneAfterMs);
  wakeBy(turn, host.awayUntilMs);
}

/** It is gone, and all it held and read with it; its rows stay as they are until it states something else. */
export function goOffline(turn: Turn, host: Host): void {
  if (host.presence === "offline") return;
  for (const peer of [...host.peers.values()]) withdraw(turn, peer);
  if (host.info.role === "seed") dismissPullers(turn, host);
  host.presence = "offline";
  host.tasks.clear();
  host.restateByMs = undefined;
  turn.swarm.seeds.delete(host);
  recordHost(turn, host);
}

/** What a host did not state after its hello it has no more. */
export function dropUnstated(turn: Turn, host: Host): void {
  host.restateByMs = undefined;
  for (const peer of [...host.peers.values()]) {
    if (peer.stated) continue;
    withdraw(turn, peer);
    setState(turn, peer, "left");
    recordPeer(turn, peer);
  }
}

export function recordHost(turn: Turn, { info, lastSeenAtMs, bannedUntilMs }: Host): void {
  turn.changes.push({ kind: "put-host", host: { info, lastSeenAtMs, bannedUntilMs } });
}

/** Those who were to pull a task to this seed are told that it is gone. */
function dismissPullers(turn: Turn, { info: { hostId } }: Host): void {
  for (const { running } of turn.swarm.tasks.values()) {
    for (const peer of running) if (peer.pulls.delete(hostId)) notesFor(turn, peer).neighbours.set(hostId, "removed");
  }
}

function expectStatements(turn: Turn, host: Host): void {
  host.tasks.clear();
  host.known = "stated";
  const { offlineGraceMs, restateStepMs } = turn.policy;
  host.restateByMs = Math.ceil((turn.nowMs + offlineGraceMs) / restateStepMs) * restateStepMs;
  for (const peer of host.peers.values()) peer.stated = false;
  wakeBy(turn, host.restateByMs);
}

function isSameInfo(a: HostInfo, b: HostInfo): boolean {
  return (Object.keys(a) as (keyof HostInfo)[]).every((key) => a[key] === b[key]);
}
