/** What a host carries for other tasks already: it makes it less likely to be drawn as a neighbour. */
import type { Peer } from "./peer.ts";
import type { Policy } from "./policy.ts";

/** Hosts of other tasks that a neighbour of this peer would share its uplink with. Those of this shard are known; of others, and of
 *  what is sent to nobody's neighbour, as many uploads as its last heartbeat had beyond those. */
export function carriedBeside({ task, host, neighbours }: Peer): number {
  const elsewhere = Math.max(0, (host.load?.activeUploads ?? 0) - host.childCount);
  if (host.peers.size === 1 || host.childCount === 0) return elsewhere;
  let own = 0;
  for (const other of neighbours) if (task.running.has(other)) own++;
  return host.childCount - own + elsewhere;
}

/** How far back a candidate stands: the links it would have, over the share of its uplink that this task has beside what it carries.
 *  A host that carries as much as the neighbours of one more task comes to half as many links as one that carries nothing. */
export function burden(links: number, carried: number, { maxNeighbours }: Pick<Policy, "maxNeighbours">): number {
  const share = maxNeighbours / (maxNeighbours + carried);
  return (links + 1) / share;
}

/** Those who would bear the least first, as they came where that is the same. Nobody is left out: a host with much to do is better
 *  than none. */
export function leastBurdened(candidates: readonly Peer[], policy: Policy): Peer[] {
  return candidates
    .map((peer) => ({ peer, burden: burden(peer.neighbours.size, carriedBeside(peer), policy) }))
    .sort((a, b) => a.burden - b.burden)
    .map(({ peer }) => peer);
}
