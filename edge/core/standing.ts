/** A peer's standing in its task: what state it is in, and whether it is present at all. */
import type { PeerState } from "../../schema/wire/task.ts";
import { noteCursors } from "./cursors.ts";
import { enterTraders, forgetHoldings, leaveTraders } from "./holdings.ts";
import { isBanned } from "./host.ts";
import { revokeLeases } from "./leases.ts";
import { unlinkAll } from "./links.ts";
import { isComplete, type Peer } from "./peer.ts";
import { noteSourceBytes } from "./source-flow.ts";
import type { Bytes } from "./task.ts";
import { notesFor, type Turn } from "./turn.ts";

/** State of a peer that says whether it wants pieces: who holds all has succeeded. */
export function stateOf(peer: Peer, wanting: boolean): PeerState {
  if (isComplete(peer)) return "succeeded";
  return wanting ? "running" : "holding";
}

export function setState(turn: Turn, peer: Peer, state: PeerState): void {
  peer.state = state;
  peer.updatedAtMs = turn.nowMs;
  const { running } = peer.task;
  const ran = running.has(peer);
  if (state === "running" && peer.present) running.add(peer);
  else running.delete(peer);
  const more = Number(running.has(peer)) - Number(ran);
  if (more !== 0) for (const { host } of peer.neighbours) host.childCount += more;
  if (state !== "running") {
    revokeLeases(turn, peer);
    noteCursors(peer, []);
  }
  turn.touched.add(peer.task);
}

/** The peer takes part. Others trade with it unless its host is banned. */
export function enter(turn: Turn, peer: Peer): void {
  peer.present = true;
  peer.host.peers.set(peer.task.info.taskId, peer);
  // Where a host said that it moved, it trades there from now on.
  if (peer.idc !== peer.host.info.idc) leaveTraders(peer);
  if (!isBanned(peer.host, turn.nowMs)) enterTraders(peer);
  turn.touched.add(peer.task);
}

/** The peer takes part no more: what it held is gone, its leases are free, its neighbours are told. */
export function withdraw(turn: Turn, peer: Peer): void {
  revokeLeases(turn, peer);
  unlinkAll(turn, peer);
  // Nobody need be told to stop trading what it does not take part in any more.
  notesFor(turn, peer).neighbours.clear();
  leaveTraders(peer);
  forgetHoldings(peer);
  peer.present = false;
  peer.stated = false;
  peer.hearsDigests = false;
  peer.pulls.clear();
  noteCursors(peer, []);
  peer.task.running.delete(peer);
  peer.task.wary.delete(peer);
  peer.host.peers.delete(peer.task.info.taskId);
  turn.touched.add(peer.task);
}

/** Adds what a peer reports to its totals. Reports count from 0 again in another life of the host. */
export function countBytes(turn: Turn, peer: Peer, report: Bytes): void {
  const { startedAtMs } = peer.host.info;
  const sameLife = peer.reportedLife === startedAtMs;
  peer.reportedLife = startedAtMs;
  for (const key of ["sourceBytes", "peerBytes"] as const) {
    const before = sameLife && report[key] >= peer.reported[key] ? peer.reported[key] : 0;
    peer.bytes[key] += report[key] - before;
    turn.swarm.bytes[key] += report[key] - before;
    peer.reported[key] = report[key];
    if (key === "sourceBytes")
      noteSourceBytes(peer.task.flow, peer.host.info.hostId, report[key] - before, turn.policy, turn.nowMs);
  }
}
