/** The swarm as people and scripts see it: docs/protocol.md, "Query API". */
import type { HostSummary, TaskDetail, TaskPeer, TaskSummary } from "../../schema/wire/query.ts";
import { type Host, isBanned } from "./host.ts";
import { isComplete, type Peer } from "./peer.ts";
import type { Bytes, Task } from "./task.ts";

export function taskSummary(task: Task): TaskSummary {
  const { info, pieceCount, state, createdAtMs, updatedAtMs } = task;
  const present = [...task.peers.values()].filter((peer) => peer.present);
  return {
    ...info,
    pieceCount,
    state,
    peerCount: present.filter((peer) => peer.heldCount > 0 || peer.state === "running" || isComplete(peer)).length,
    completePeerCount: present.filter(isComplete).length,
    knownDigestCount: task.digests.knownCount,
    ...bytesOf(task),
    createdAtMs,
    updatedAtMs,
  };
}

/** With every peer that takes part, and those that failed. */
export function taskDetail(task: Task): TaskDetail {
  const shown = [...task.peers.values()].filter((peer) => peer.present || peer.state === "failed");
  return { ...taskSummary(task), peers: shown.map(taskPeer).sort((a, b) => (a.hostId < b.hostId ? -1 : 1)) };
}

/** @param taskCount tasks it takes part in */
export function hostSummary(host: Host, taskCount: number, nowMs: number): HostSummary {
  return {
    ...host.info,
    state: host.presence === "offline" ? "offline" : "online",
    load: host.presence === "offline" ? null : host.load,
    lastSeenAtMs: host.lastSeenAtMs,
    bannedUntilMs: isBanned(host, nowMs) ? host.bannedUntilMs : null,
    taskCount,
  };
}

function taskPeer(peer: Peer): TaskPeer {
  let leasedPieceCount = 0;
  for (const lease of peer.leases) leasedPieceCount += lease.openCount;
  return {
    hostId: peer.host.info.hostId,
    state: peer.state,
    heldPieceCount: peer.heldCount,
    bitfield: peer.bitfield.toBase64(),
    leasedPieceCount,
    ...peer.bytes,
    problem: peer.problem,
    updatedAtMs: peer.updatedAtMs,
  };
}

function bytesOf(task: Task): Bytes {
  const sum = { ...task.pastBytes };
  for (const { bytes } of task.peers.values()) {
    sum.sourceBytes += bytes.sourceBytes;
    sum.peerBytes += bytes.peerBytes;
  }
  return sum;
}
