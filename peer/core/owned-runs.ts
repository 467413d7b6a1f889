/** Who reads what from the source while no scheduler grants leases: every run of pieces falls to one host by highest random
 *  weight (rendezvous hashing, field notes 2.6), so that hosts which know each other agree without a word. Pure. */
import { type Bitfield, hasPiece } from "../../schema/bitfield.ts";
import type { HostId, TaskId } from "../../schema/ids.ts";
import type { PieceRun } from "../../schema/wire/peer-message.ts";
import type { TransferPolicy } from "./policy.ts";

/** A host that could read, this one among them. */
export interface Candidate {
  readonly hostId: HostId;
  /** When it got anything last, or was found without a scheduler: one that is idle is passed over. */
  readonly activeAtMs: number;
}

export interface OwnedRunsView {
  readonly taskId: TaskId;
  readonly hostId: HostId;
  readonly pieceCount: number;
  readonly pieceLengthBytes: number;
  /** Without ranges all is one run. */
  readonly ranged: boolean;
  readonly held: Bitfield;
  /** Pieces that neighbours have, and those that they or this host are reading. */
  readonly offered: Bitfield;
  readonly reading: Bitfield;
  readonly others: readonly Candidate[];
  /** Runs that this host may begin now. */
  readonly spareRuns: number;
}

/** Runs this host begins to read now, in file order. */
export function planOwnedRuns(view: OwnedRunsView, policy: TransferPolicy, nowMs: number): PieceRun[] {
  const { pieceCount, pieceLengthBytes, ranged } = view;
  const runPieces = ranged ? Math.max(1, Math.floor(policy.ownedRunBytes / pieceLengthBytes)) : pieceCount;
  const rivals = view.others.filter(({ activeAtMs }) => nowMs - activeAtMs < policy.ownerPatienceMs);
  const planned: PieceRun[] = [];
  for (let first = 0; first < pieceCount && planned.length < view.spareRuns; first += runPieces) {
    const run = ranged ? openPart(view, first, Math.min(first + runPieces, pieceCount)) : wholeOf(view);
    if (run !== undefined && isOwner(view, rivals, first)) planned.push(run);
  }
  return planned;
}

/** The first consecutive pieces between two that nobody has or reads. */
function openPart(view: OwnedRunsView, first: number, end: number): PieceRun | undefined {
  let firstPiece = first;
  while (firstPiece < end && !isOpen(view, firstPiece)) firstPiece++;
  let next = firstPiece;
  while (next < end && isOpen(view, next)) next++;
  return next === firstPiece ? undefined : { firstPiece, pieceCount: next - firstPiece };
}

/** One stream from the first byte, unless somebody reads it already. */
function wholeOf(view: OwnedRunsView): PieceRun | undefined {
  let wanted = false;
  for (let piece = 0; piece < view.pieceCount; piece++) {
    if (hasPiece(view.reading, piece)) return undefined;
    if (isOpen(view, piece)) wanted = true;
  }
  return wanted ? { firstPiece: 0, pieceCount: view.pieceCount } : undefined;
}

function isOpen({ held, offered, reading }: OwnedRunsView, piece: number): boolean {
  return !hasPiece(held, piece) && !hasPiece(offered, piece) && !hasPiece(reading, piece);
}

function isOwner({ taskId, hostId }: OwnedRunsView, rivals: readonly Candidate[], first: number): boolean {
  const own = weightOf(taskId, first, hostId);
  return rivals.every((rival) => {
    const weight = weightOf(taskId, first, rival.hostId);
    return weight === own ? rival.hostId > hostId : weight < own;
  });
}

/** FNV-1a over what names the three, and a last mix, since FNV moves the end of a name little. */
export function weightOf(taskId: TaskId, firstPiece: number, hostId: HostId): number {
  let hash = 0x811c9dc5;
  for (const text of [taskId, String(firstPiece), hostId])
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mixed(hash);
}

/** 32 bits of which each depends on all of `bits`: the finaliser of MurmurHash3. */
export function mixed(bits: number): number {
  let hash = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
