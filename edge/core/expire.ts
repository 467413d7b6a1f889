/** What happens by itself when time passes. */
import type { HostId } from "../../schema/ids.ts";
import { unbanHost } from "./ban.ts";
import { looksAroundAtMs } from "./cut-off.ts";
import { expireFrozen, recheckAtMs } from "./frozen.ts";
import { silentAtMs } from "./hopeless.ts";
import type { Host } from "./host.ts";
import { expireLeases } from "./leases.ts";
import { hasStrangers, helpStalled, mayHaveMutes, stalledAtMs } from "./neighbours.ts";
import type { Policy } from "./policy.ts";
import { dropUnstated, goOffline } from "./presence.ts";
import { endTurn } from "./settle.ts";
import { NEVER_MS, type Swarm } from "./swarm.ts";
import type { Task } from "./task.ts";
import { beginTurn, type Outcome, type Turn } from "./turn.ts";

export interface TickOutcome extends Outcome {
  /** Hosts whose time to state their tasks is over: `host.tasks` is all they have. */
  readonly restated: HostId[];
}

/** Applies every deadline that has passed, and sets `swarm.wakeAtMs` to the next one. */
export function tick(swarm: Swarm, policy: Policy, nowMs: number, random: () => number): TickOutcome {
  const turn = beginTurn(swarm, policy, nowMs, random);
  const restated: HostId[] = [];
  for (const host of [...swarm.hosts.values()]) {
    const deadlineMs = presenceDeadlineMs(host, policy);
    if (nowMs >= deadlineMs) {
      if (host.presence === "offline") forget(turn, host);
      else goOffline(turn, host);
    }
    if (host.restateByMs !== undefined && nowMs >= host.restateByMs) {
      dropUnstated(turn, host);
      restated.push(host.info.hostId);
    }
    expireFrozen(turn, host);
    if (host.bannedUntilMs !== null && nowMs >= host.bannedUntilMs) unbanHost(turn, host);
  }
  for (const task of swarm.tasks.values()) {
    expireLeases(turn, task);
    helpStalled(turn, task);
    if (task.running.size > 0 || task.recovery !== undefined) turn.touched.add(task);
  }
  const outcome = endTurn(turn);
  swarm.wakeAtMs = nextDeadlineMs(swarm, policy, nowMs);
  return { ...outcome, restated };
}

/** The next moment at which `tick` has something to do, after `nowMs`; `NEVER_MS` when there is none. */
export function nextDeadlineMs(swarm: Swarm, policy: Policy, nowMs: number): number {
  let next = NEVER_MS;
  const consider = (atMs: number | null | undefined) => {
    if (atMs !== null && atMs !== undefined && atMs > nowMs && atMs < next) next = atMs;
  };
  for (const host of swarm.hosts.values()) {
    consider(presenceDeadlineMs(host, policy));
    consider(host.restateByMs);
    consider(recheckAtMs(host, policy));
    consider(host.bannedUntilMs);
  }
  for (const task of swarm.tasks.values()) for (const atMs of deadlinesOf(task, policy)) consider(atMs);
  return next;
}

/** When a host that goes on as it is changes its presence. */
function presenceDeadlineMs(host: Host, policy: Policy): number {
  switch (host.presence) {
    case "online":
      return host.lastSeenAtMs + policy.hostSilentMs;
    case "away":
      return host.awayUntilMs;
    case "offline":
      return host.lastSeenAtMs + policy.hostForgetMs;
  }
}

function* deadlinesOf(task: Task, policy: Policy): Generator<number | undefined> {
  yield task.recovery?.untilMs;
  yield task.relayAtMs;
  for (const lease of task.leases.values()) yield lease.aliveAtMs + lease.ttlMs;
  if (task.running.size === 0) return;
  const isLeasable = task.pieces.leasableCount > 0;
  yield task.sourceBudget.paidUntilMs;
  if (!isLeasable && task.leases.size > 0) yield task.endGameAtMs;
  for (const peer of task.running) {
    if (isLeasable) yield* [peer.leaseBackoffUntilMs, peer.expiredAtMs + policy.leaseTtlMs];
    if (isLeasable && peer.pulls.size > 0) yield task.seedGraceUntilMs;
    if (hasStrangers(peer) || mayHaveMutes(peer)) yield stalledAtMs(peer, policy);
    if (peer.avoid.size > 0) yield* [looksAroundAtMs(peer, policy), peer.leaseBackoffUntilMs];
    yield silentAtMs(peer, policy);
  }
}

/** What its rows say it moved stays counted for as long as they are there. */
function forget(turn: Turn, host: Host): void {
  const { hostId } = host.info;
  turn.swarm.hosts.delete(hostId);
  turn.changes.push({ kind: "remove-host", hostId });
  for (const { peers, packs, pastBytes } of turn.swarm.tasks.values()) {
    const peer = peers.get(hostId);
    if (peer === undefined) continue;
    pastBytes.sourceBytes += peer.bytes.sourceBytes;
    pastBytes.peerBytes += peer.bytes.peerBytes;
    peers.delete(hostId);
    if (peer.pack !== undefined) packs.leave(peer.pack);
  }
}
