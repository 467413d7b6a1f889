/** A peer is cut off when what it lacks is held only by hosts it cannot reach: behind NAT or a firewall, or under a wrong
 *  address. For it those pieces are as good as held by nobody, and it may read them from the source. */
import { addAll, type Bitfield, countPieces, emptyBitfield, hasPiece, removeAll } from "../../schema/bitfield.ts";
import { isOutOfReach } from "./avoid.ts";
import { grant, streamsOf } from "./grant.ts";
import type { Peer } from "./peer.ts";
import { NO_LEASE, type Run } from "./piece-ledger.ts";
import type { Policy } from "./policy.ts";
import { livelyOf, mayRead, nextReader } from "./readers.ts";
import { fairRun, roomFor } from "./run-length.ts";
import { budgetPieces, isBudgetSpent } from "./source-budget.ts";
import type { Task } from "./task.ts";
import { type Turn, wakeBy } from "./turn.ts";

/** Grants pieces to peers that can reach no holder of them, once what nobody holds is granted. */
export function grantCutOff(turn: Turn, task: Task): void {
  if (task.recovery !== undefined || task.wary.size === 0) return;
  let readers = livelyOf(
    turn,
    [...task.wary].filter((peer) => task.running.has(peer) && mayBeCutOff(turn, peer)),
  );
  const beyond = new Map<Peer, Bitfield>();
  while (task.leases.size < streamsOf(turn, task) && !isBudgetSpent(task, turn.nowMs)) {
    const reader = nextReader(readers, turn);
    if (reader === undefined) return;
    const pieces = beyond.get(reader) ?? piecesBeyond(turn, reader);
    beyond.set(reader, pieces);
    const isOpen = (piece: number) => hasPiece(pieces, piece) && task.pieces.leaseOf(piece) === NO_LEASE;
    const fairPieces = fairRun(turn, reader, readers.length, countPieces(pieces));
    const run = firstRun(task, isOpen, Math.min(fairPieces, roomFor(turn, reader), budgetPieces(task, turn.policy)));
    if (run === undefined) {
      // What it needs is being read, or can be had. Looking takes time, so not again at once.
      reader.lookedAroundAtMs = turn.nowMs;
      wakeBy(turn, turn.nowMs + turn.policy.stallMs);
      readers = readers.filter((other) => other !== reader);
      continue;
    }
    grant(turn, reader, run, isOpen);
  }
}

/** When it is time to see whether a peer that other hosts failed is cut off, if it may still hope for others. */
export function looksAroundAtMs(peer: Peer, { stallMs }: Policy): number {
  const patientUntilMs = peer.cutOff ? 0 : tradedLastMs(peer) + peer.quietMs + stallMs;
  return Math.max(patientUntilMs, peer.lookedAroundAtMs + stallMs);
}

/** Whether the peer is cut off now, whoever came or went since it was looked last. */
export function isCutOff(turn: Turn, peer: Peer): boolean {
  if (peer.cutOff) piecesBeyond(turn, peer);
  return peer.cutOff;
}

function mayBeCutOff(turn: Turn, peer: Peer): boolean {
  if (peer.avoid.size === 0 || !mayRead(turn, peer)) return false;
  if (turn.nowMs >= looksAroundAtMs(peer, turn.policy)) return true;
  const lookedJustNow = turn.nowMs < peer.lookedAroundAtMs + turn.policy.stallMs;
  return !lookedJustNow && !isHopeful(turn, peer);
}

/** Whether somebody within its reach wants the task too whom nobody failed: that is worth some patience. */
function isHopeful(turn: Turn, peer: Peer): boolean {
  for (const other of peer.task.running) if (other.avoid.size === 0 && !isOutOfReach(turn, peer, other)) return true;
  return false;
}

/** Looks at everybody: which pieces the peer lacks are held, but only by hosts out of its reach. */
function piecesBeyond(turn: Turn, peer: Peer): Bitfield {
  const { task } = peer;
  const relays = peer.cutOff ? [] : relaysOf(turn, peer);
  const within = peer.bitfield.slice();
  const beyond = emptyBitfield(task.pieceCount);
  for (const holder of task.traders) {
    const isBeyond = [peer, ...relays].every((child) => isOutOfReach(turn, child, holder));
    addAll(isBeyond ? beyond : within, holder.bitfield);
  }
  removeAll(beyond, within);
  peer.cutOff = beyond.some((byte) => byte !== 0);
  return beyond;
}

/** Peers that get pieces from others just now, and that this one can reach: what they get, it will get from them. It
 *  believes so for `avoidMs`, as long as it gets nothing. */
function relaysOf(turn: Turn, peer: Peer): Peer[] {
  const { nowMs, policy } = turn;
  if (nowMs - tradedLastMs(peer) >= policy.avoidMs) return [];
  return [...peer.task.running].filter(
    (other) => other !== peer && nowMs - other.tradedAtMs < policy.avoidMs && !isOutOfReach(turn, peer, other),
  );
}

function tradedLastMs({ beganAtMs, tradedAtMs }: Peer): number {
  return Math.max(beganAtMs, tradedAtMs);
}

function firstRun({ pieceCount }: Task, isOpen: (piece: number) => boolean, maxPieces: number): Run | undefined {
  let firstPiece = 0;
  while (firstPiece < pieceCount && !isOpen(firstPiece)) firstPiece++;
  if (firstPiece === pieceCount) return undefined;
  let end = firstPiece + 1;
  while (end < pieceCount && end - firstPiece < maxPieces && isOpen(end)) end++;
  return { firstPiece, pieceCount: end - firstPiece };
}
