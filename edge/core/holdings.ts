/** What a peer holds. Only traders count: the pieces of a banned host are nobody's. */
import { addPiece, type Bitfield, bitfieldBytes, emptyBitfield, removePiece } from "../../schema/bitfield.ts";
import type { PieceRun } from "../../schema/wire/peer-message.ts";
import { leaseOver, readUnderLease } from "./lease-book.ts";
import type { Peer } from "./peer.ts";
import { Roster } from "./roster.ts";

const NOTHING: Bitfield = new Uint8Array(0);

/** Makes a present peer hold exactly these pieces; the field is copied. */
export function replaceHoldings(peer: Peer, have: Bitfield, nowMs: number): void {
  if (peer.bitfield.length !== bitfieldBytes(peer.task.pieceCount)) peer.bitfield = emptyBitfield(peer.task.pieceCount);
  // By index: an iterator costs more than all else while the engine is cold, as it is after a restart.
  for (let at = 0; at < have.length; at++) {
    const wanted = have[at] ?? 0;
    const differing = (peer.bitfield[at] ?? 0) ^ wanted;
    for (let bit = 0; differing >> bit !== 0; bit++) {
      if (((differing >> bit) & 1) === 0) continue;
      if (((wanted >> bit) & 1) === 1) gain(peer, at * 8 + bit, nowMs);
      else lose(peer, at * 8 + bit);
    }
  }
}

/** Pieces came: some it read under its leases, others it got in trade. */
export function gainRuns(peer: Peer, runs: readonly PieceRun[], nowMs: number): void {
  eachPiece(peer, runs, (piece) => {
    const isRead = leaseOver(peer, piece) !== undefined;
    if (!gain(peer, piece, nowMs)) return;
    peer.movedAtMs = nowMs;
    if (!isRead) peer.tradedAtMs = nowMs;
  });
}

export function loseRuns(peer: Peer, runs: readonly PieceRun[]): void {
  eachPiece(peer, runs, (piece) => lose(peer, piece));
}

/** Its pieces count from now on, and it may be a neighbour. */
export function enterTraders(peer: Peer): void {
  const { task } = peer;
  if (task.traders.has(peer)) return;
  peer.idc = peer.host.info.idc;
  task.traders.add(peer);
  let local = task.tradersByIdc.get(peer.idc);
  if (local === undefined) {
    local = new Roster();
    task.tradersByIdc.set(peer.idc, local);
  }
  local.add(peer);
  for (const piece of heldBy(peer)) task.pieces.hold(piece);
}

/** Its pieces count no more. */
export function leaveTraders(peer: Peer): void {
  const { task } = peer;
  if (!task.traders.has(peer)) return;
  task.traders.delete(peer);
  const local = task.tradersByIdc.get(peer.idc);
  local?.delete(peer);
  if (local?.size === 0) task.tradersByIdc.delete(peer.idc);
  for (const piece of heldBy(peer)) task.pieces.release(piece);
}

export function forgetHoldings(peer: Peer): void {
  peer.bitfield = NOTHING;
  peer.heldCount = 0;
}

/** A number that tells two bitfields apart well enough to save a row (FNV-1a). */
export function hashOf(bits: Bitfield): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < bits.length; at++) hash = Math.imul(hash ^ (bits[at] ?? 0), 0x01000193);
  return hash >>> 0;
}

function gain(peer: Peer, piece: number, nowMs: number): boolean {
  if (!addPiece(peer.bitfield, piece)) return false;
  peer.heldCount++;
  if (peer.task.traders.has(peer)) peer.task.pieces.hold(piece);
  readUnderLease(peer, piece, nowMs);
  return true;
}

function lose(peer: Peer, piece: number): void {
  if (!removePiece(peer.bitfield, piece)) return;
  peer.heldCount--;
  if (peer.task.traders.has(peer)) peer.task.pieces.release(piece);
}

function* heldBy(peer: Peer): Generator<number> {
  for (let at = 0; at < peer.bitfield.length; at++) {
    const byte = peer.bitfield[at] ?? 0;
    for (let bit = 0; byte >> bit !== 0; bit++) if (((byte >> bit) & 1) === 1) yield at * 8 + bit;
  }
}

/** Pieces beyond the task are ignored, and a message never makes more work than the task has pieces. No generator: two of them
 *  were 450 of the 1,130 bytes that a report left to collect. */
function eachPiece({ task }: Peer, runs: readonly PieceRun[], act: (piece: number) => void): void {
  let left = task.pieceCount;
  for (const { firstPiece, pieceCount } of runs) {
    const end = Math.min(firstPiece + Math.min(pieceCount, left), task.pieceCount);
    for (let piece = firstPiece; piece < end; piece++) act(piece);
    left -= Math.max(0, end - firstPiece);
  }
}
