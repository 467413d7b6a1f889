/** Whom a peer trades with. The mesh is random and nearly regular: everybody has about as many neighbours, most of them of
 *  the own site, so that no cut of the herd is narrow (design 3.4, field notes 2.3). */
import { avoid, avoids, avoidsJustNow } from "./avoid.ts";
import { leastBurdened } from "./host-load.ts";
import { link, tellToPull, unlink } from "./links.ts";
import type { Peer } from "./peer.ts";
import type { Policy } from "./policy.ts";
import { needsPull, pullersOf, seedsOf } from "./seeds.ts";
import type { Task } from "./task.ts";
import { type Turn, wakeBy } from "./turn.ts";

/** Gives a peer that announced itself neighbours up to `maxNeighbours`. In a full mesh it takes the place of a link
 *  between two others and trades with both, so that nobody ends with more than its share. */
export function meet(turn: Turn, peer: Peer): void {
  const candidates = candidatesFor(turn, peer);
  for (const other of candidates) if (hasSpace(turn, peer) && hasSpace(turn, other)) linkWithin(turn, peer, other);
  for (const other of candidates) if (spaceOf(turn, peer) >= 2) split(turn, peer, other);
  // Whoever has not met it may need it later.
  if (peer.task.running.size > 0) wakeBy(turn, turn.nowMs + turn.policy.stallMs);
}

/** Makes up for neighbours that went, from those who have space. */
export function replaceLost(turn: Turn, peer: Peer): void {
  if (!hasSpace(turn, peer)) return;
  for (const other of candidatesFor(turn, peer))
    if (hasSpace(turn, peer) && hasSpace(turn, other)) linkWithin(turn, peer, other);
}

/** Tells a child where the seeds of the task are, as long as they need telling. */
export function callSeeds(turn: Turn, peer: Peer): void {
  if (peer.host.info.role === "seed") return;
  for (const seed of seedsOf(turn, peer.task)) {
    const { hostId } = seed.info;
    const others = pullersOf(peer.task, hostId).filter((puller) => puller !== peer);
    const asked = peer.pulls.has(hostId) || others.length < turn.policy.pullersPerSeed;
    if (!asked || !needsPull(turn, peer.task, seed)) continue;
    tellToPull(turn, peer, seed);
    wakeBy(turn, peer.task.seedGraceUntilMs);
  }
}

/** A seed came: those who called it trade with it. */
export function meetPullers(turn: Turn, seed: Peer): void {
  for (const puller of pullersOf(seed.task, seed.host.info.hostId)) {
    puller.pulls.delete(seed.host.info.hostId);
    if (!puller.neighbours.has(seed)) linkAnyway(turn, puller, seed);
  }
}

/** A running peer that got nothing for `stallMs` is linked to somebody who has what it lacks, and parts from those who told no
 *  digest of it. */
export function helpStalled(turn: Turn, task: Task): void {
  for (const peer of task.running) {
    if (turn.nowMs < stalledAtMs(peer, turn.policy)) continue;
    peer.helpedAtMs = turn.nowMs;
    for (const other of [...peer.neighbours]) {
      if (!isMute(other, peer)) continue;
      avoid(turn, peer, other.host);
      unlink(turn, peer, other);
    }
    const drawn = task.traders.sample(turn.policy.neighbourSample, turn.random);
    const helper = leastBurdened(drawn, turn.policy).find(
      (other) => mayTrade(turn, peer, other) && hasSomethingFor(other, peer),
    );
    if (helper === undefined) continue;
    linkAnyway(turn, peer, helper);
  }
}

/** When a running peer that gets nothing needs another neighbour. */
export function stalledAtMs({ movedAtMs, quietMs, helpedAtMs }: Peer, { stallMs }: Policy): number {
  return Math.max(movedAtMs + quietMs, helpedAtMs) + stallMs;
}

/** Whether looking again could bring a stalled peer anything. */
export function hasStrangers(peer: Peer): boolean {
  return peer.task.traders.size - 1 > peer.neighbours.size;
}

/** Whether looking again could show that neighbours have only what nobody can verify. */
export function mayHaveMutes({ task, neighbours }: Peer): boolean {
  return neighbours.size > 0 && task.digests.knownCount < task.pieceCount;
}

/** Seeds with space first, then mostly the own site, those with the fewest neighbours for what they carry beside first, ties by
 *  chance. */
function candidatesFor(turn: Turn, peer: Peer): Set<Peer> {
  const { task, host } = peer;
  const { maxNeighbours, sameIdcShare, neighbourSample } = turn.policy;
  const fitting = (drawn: Peer[]) =>
    leastBurdened(
      drawn.filter((other) => mayTrade(turn, peer, other)),
      turn.policy,
    );
  const seeds = seedsOf(turn, task)
    .flatMap((seed) => task.peers.get(seed.info.hostId) ?? [])
    .filter((seed) => task.traders.has(seed) && hasSpace(turn, seed) && mayTrade(turn, peer, seed));
  const localTraders = task.tradersByIdc.get(host.info.idc);
  const local = fitting(localTraders?.sample(neighbourSample, turn.random) ?? []);
  // In a task of one site whoever is drawn anywhere is of this one.
  const anywhere = localTraders?.size === task.traders.size ? [] : task.traders.sample(neighbourSample, turn.random);
  const remote = fitting(anywhere.filter((other) => other.idc !== host.info.idc));
  const mostLocal = Math.floor(maxNeighbours * sameIdcShare);
  return new Set([...seeds, ...local.slice(0, mostLocal), ...remote, ...local.slice(mostLocal)]);
}

/** Two that could learn something from each other, for the sake of the first: at least one of them wants pieces. */
export function mayTrade(turn: Turn, peer: Peer, other: Peer): boolean {
  return (
    other !== peer &&
    other.host.presence === "online" &&
    !peer.neighbours.has(other) &&
    (peer.state === "running" || other.state === "running") &&
    // Who wants nothing does not mind that it cannot be served.
    !(peer.state === "running" && avoids(turn, peer, other)) &&
    !(other.state === "running" && avoidsJustNow(turn, other, peer))
  );
}

function spaceOf(turn: Turn, peer: Peer): number {
  return turn.policy.maxNeighbours - peer.neighbours.size;
}

/** A full peer that wants nothing can spare a link to another that wants nothing. */
function hasSpace(turn: Turn, peer: Peer): boolean {
  return spaceOf(turn, peer) > 0 || idleNeighbour(peer) !== undefined;
}

function idleNeighbour(peer: Peer): Peer | undefined {
  if (peer.state === "running") return undefined;
  for (const other of peer.neighbours) if (other.state !== "running") return other;
  return undefined;
}

/** Links two peers that have space. */
function linkWithin(turn: Turn, peer: Peer, other: Peer): void {
  for (const end of [peer, other]) {
    const idle = spaceOf(turn, end) > 0 ? undefined : idleNeighbour(end);
    if (idle !== undefined) unlink(turn, end, idle);
  }
  link(turn, peer, other);
}

/** Links two peers; who is full drops the neighbour that has least for it. */
function linkAnyway(turn: Turn, peer: Peer, other: Peer): void {
  for (const end of [peer, other]) {
    const dropped = spaceOf(turn, end) > 0 ? undefined : leastUseful(end);
    if (dropped !== undefined) unlink(turn, end, dropped);
  }
  link(turn, peer, other);
}

/** Puts the peer between `other` and one of its neighbours. */
function split(turn: Turn, peer: Peer, other: Peer): void {
  if (!mayTrade(turn, peer, other)) return;
  const thirds = [...other.neighbours];
  while (thirds.length > 0) {
    // Most may trade: to look at all of them first takes most of the time of a join.
    const [third] = thirds.splice(Math.floor(turn.random() * thirds.length), 1);
    if (third === undefined || !mayTrade(turn, peer, third)) continue;
    unlink(turn, other, third);
    link(turn, peer, other);
    link(turn, peer, third);
    return;
  }
}

export function hasSomethingFor(holder: Peer, peer: Peer): boolean {
  return holder.bitfield.some((byte, at) => (byte & ~(peer.bitfield[at] ?? 0)) !== 0);
}

/** Whether all it has for the peer lacks digests: nobody can take it, and it keeps the peer from the source. */
function isMute(holder: Peer, peer: Peer): boolean {
  const { known } = peer.task.digests;
  const offers = (byte: number, at: number) => byte & ~(peer.bitfield[at] ?? 0);
  const isVerifiable = (byte: number, at: number) => (offers(byte, at) & (known[at] ?? 0)) !== 0;
  return hasSomethingFor(holder, peer) && !holder.bitfield.some(isVerifiable);
}

function leastUseful(peer: Peer): Peer | undefined {
  let least: Peer | undefined;
  for (const other of peer.neighbours) {
    if (!hasSomethingFor(other, peer)) return other;
    if (least === undefined || other.heldCount < least.heldCount) least = other;
  }
  return least;
}
