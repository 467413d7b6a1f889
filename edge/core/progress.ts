/** What hosts say about a task while they take part in it, and when their part ends. */
import { MAX_REASON_LENGTH } from "../../schema/wire/fields.ts";
import type { PeerMessageOf } from "../../schema/wire/peer-message.ts";
import { refuse } from "./announce.ts";
import { avoid } from "./avoid.ts";
import { banHost } from "./ban.ts";
import { noteCursors } from "./cursors.ts";
import { acceptDigests } from "./digests.ts";
import { exchange } from "./exchange.ts";
import { suspectFrozen } from "./frozen.ts";
import { gainRuns, loseRuns } from "./holdings.ts";
import { backOff, followLeases } from "./leases.ts";
import { unlink } from "./links.ts";
import { isComplete, type Peer } from "./peer.ts";
import { recordPeer } from "./peer-packs.ts";
import { suspectGone } from "./presence.ts";
import { countBytes, setState, stateOf, withdraw } from "./standing.ts";
import { askResync, type Turn } from "./turn.ts";

export function progress(turn: Turn, peer: Peer, message: PeerMessageOf<"progress">): void {
  turn.touched.add(peer.task);
  countBytes(turn, peer, message);
  peer.quietMs = message.quietMs ?? 0;
  gainRuns(peer, message.added, turn.nowMs);
  loseRuns(peer, message.removed);
  followLeases(turn, peer, message.leases);
  if (message.cursors !== undefined && peer.state === "running") noteCursors(peer, message.cursors);
  if (message.exchange !== undefined) exchange(turn, peer, message.exchange);
  const foreign = acceptDigests(peer, message.digests);
  if (foreign !== undefined) {
    refuseOtherVersion(turn, peer, foreign);
  } else if (peer.state === "holding" || peer.state === "succeeded") {
    const state = stateOf(peer, false);
    if (state !== peer.state) setState(turn, peer, state);
    recordPeer(turn, peer);
  }
}

export function finish(turn: Turn, peer: Peer, message: PeerMessageOf<"finish">): void {
  countBytes(turn, peer, message);
  if (message.state === "succeeded" && !isComplete(peer)) {
    // It holds all, and we missed some of it: only a new statement tells what.
    setState(turn, peer, "holding");
    askResync(turn, peer.host.info.hostId);
    return;
  }
  peer.problem = message.problem ?? null;
  if (message.state === "left") {
    peer.foreign = false;
    withdraw(turn, peer);
    peer.host.tasks.delete(peer.task.info.taskId);
  }
  setState(turn, peer, message.state);
  if (message.state === "failed") backOff(turn, peer, turn.policy.sourceBackoffMs);
  recordPeer(turn, peer);
}

export function fault(turn: Turn, peer: Peer, message: PeerMessageOf<"fault">): void {
  const { task } = peer;
  turn.swarm.tallies.faultsReported[message.kind]++;
  turn.touched.add(task);
  const host = turn.swarm.hosts.get(message.parentHostId);
  if (host !== undefined) avoid(turn, peer, host);
  peer.pulls.delete(message.parentHostId);
  const parent = task.peers.get(message.parentHostId);
  // Nobody gets a host banned whom the shard did not bring together with it.
  if (parent === undefined || !peer.neighbours.has(parent)) return;
  unlink(turn, peer, parent);
  if (message.kind === "corrupt") banHost(turn, parent.host);
  if (message.kind !== "unreachable") return;
  suspectFrozen(turn, parent.host);
  suspectGone(turn, parent.host);
}

/** Its digest differs from the one the task has: what it read is another content under the same name. */
function refuseOtherVersion(turn: Turn, peer: Peer, piece: number): void {
  const { task, host } = peer;
  const message = `Piece ${piece} of ${task.info.url} is different from what the others have: the source changed while this host read it. Ask again to get the new content`;
  turn.swarm.tallies.readersRefused["source-changed"]++;
  withdraw(turn, peer);
  host.tasks.delete(task.info.taskId);
  peer.foreign = true;
  peer.problem = { code: "source-changed", message };
  setState(turn, peer, "failed");
  recordPeer(turn, peer);
  refuse(turn, host, task.info.taskId, "source-changed", message.slice(0, MAX_REASON_LENGTH));
}
