/** Two peers of a task that trade with each other: both are told, and both are told when it is over. */
import type { Neighbour } from "../../schema/wire/scheduler-message.ts";
import { type Host, isBanned } from "./host.ts";
import type { Peer } from "./peer.ts";
import { notesFor, type Turn } from "./turn.ts";

export function link(turn: Turn, a: Peer, b: Peer): void {
  if (!a.neighbours.has(b)) countChildren(a, b, 1);
  a.neighbours.add(b);
  b.neighbours.add(a);
  tellOf(turn, a, b);
  tellOf(turn, b, a);
}

export function unlink(turn: Turn, a: Peer, b: Peer): void {
  if (a.neighbours.has(b)) countChildren(a, b, -1);
  a.neighbours.delete(b);
  b.neighbours.delete(a);
  notesFor(turn, a).neighbours.set(b.host.info.hostId, "removed");
  notesFor(turn, b).neighbours.set(a.host.info.hostId, "removed");
  for (const peer of [a, b]) if (peer.task.running.has(peer)) turn.bereaved.add(peer);
}

export function unlinkAll(turn: Turn, peer: Peer): void {
  for (const other of [...peer.neighbours]) unlink(turn, peer, other);
}

/** Everything a peer was told of its neighbours, once more: it may have lost it. */
export function tellAllNeighbours(turn: Turn, peer: Peer): void {
  for (const other of peer.neighbours) tellOf(turn, peer, other);
}

/** Its neighbours were not told of it while it was banned. */
export function tellOfItself(turn: Turn, peer: Peer): void {
  for (const other of peer.neighbours) tellOf(turn, other, peer);
}

export function tellToPull(turn: Turn, peer: Peer, seed: Host): void {
  peer.pulls.add(seed.info.hostId);
  notesFor(turn, peer).neighbours.set(seed.info.hostId, neighbourOf(seed, true));
}

function countChildren(a: Peer, b: Peer, more: 1 | -1): void {
  if (b.task.running.has(b)) a.host.childCount += more;
  if (a.task.running.has(a)) b.host.childCount += more;
}

function tellOf(turn: Turn, peer: Peer, other: Peer): void {
  // A banned host may still take from others; nobody is sent to it.
  if (isBanned(other.host, turn.nowMs)) return;
  notesFor(turn, peer).neighbours.set(other.host.info.hostId, neighbourOf(other.host, false));
}

function neighbourOf({ info }: Host, needsPull: boolean): Neighbour {
  return { hostId: info.hostId, address: info.address, role: info.role, idc: info.idc, needsPull };
}
