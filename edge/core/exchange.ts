/** Neighbours are exchanged in the course of a long download: a peer names those that gave it least, and gets others in their place,
 *  whom they get in its place. So everybody keeps as many neighbours as before, and as many of its own site. */
import type { HostId } from "../../schema/ids.ts";
import { leastBurdened } from "./host-load.ts";
import { link, unlink } from "./links.ts";
import { hasSomethingFor, mayTrade } from "./neighbours.ts";
import type { Peer } from "./peer.ts";
import type { Turn } from "./turn.ts";

/** Exchanges these neighbours of a running peer, as far as there is somebody else for them. */
export function exchange(turn: Turn, peer: Peer, spared: readonly HostId[]): void {
  const { exchangePauseMs } = turn.policy;
  if (peer.state !== "running" || turn.nowMs - peer.exchangedAtMs < exchangePauseMs) return;
  peer.exchangedAtMs = turn.nowMs;
  for (const hostId of spared) {
    const other = peer.task.peers.get(hostId);
    // Seeds have what nobody else has yet.
    if (other === undefined || !peer.neighbours.has(other) || other.host.info.role === "seed") continue;
    replace(turn, peer, other);
  }
}

function replace(turn: Turn, peer: Peer, old: Peer): void {
  const { policy, random } = turn;
  const { task } = peer;
  const isHome = old.idc === peer.idc;
  const roster = isHome ? (task.tradersByIdc.get(peer.idc) ?? task.traders) : task.traders;
  const able = roster
    .sample(policy.neighbourSample, random)
    .filter(
      (other) => (other.idc === peer.idc) === isHome && mayTrade(turn, peer, other) && hasSomethingFor(other, peer),
    );
  const hasSpace = ({ neighbours }: Peer) => neighbours.size < policy.maxNeighbours;
  for (const fresh of leastBurdened(able, policy)) {
    if (hasSpace(fresh)) {
      // Who has space itself keeps what it has.
      if (!hasSpace(peer)) unlink(turn, peer, old);
      link(turn, peer, fresh);
      return;
    }
    const spare = spareOf(turn, fresh, peer, old);
    if (spare === undefined) continue;
    unlink(turn, peer, old);
    unlink(turn, fresh, spare);
    link(turn, peer, fresh);
    link(turn, old, spare);
    return;
  }
}

/** Which neighbour the fresh one gives to the old one for this peer: one as near to both as those that part. */
function spareOf(turn: Turn, fresh: Peer, peer: Peer, old: Peer): Peer | undefined {
  const isHome = old.idc === peer.idc;
  const able = [...fresh.neighbours].filter(
    (other) =>
      other.host.info.role !== "seed" &&
      (other.idc === fresh.idc) === (peer.idc === fresh.idc) &&
      (other.idc === old.idc) === isHome &&
      mayTrade(turn, old, other),
  );
  return able[Math.floor(turn.random() * able.length)];
}
