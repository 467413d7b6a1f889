/** What a host may ask of other sites: a piece should cross into a site once, and spread there. Neighbours of one site agree
 *  without a word on who fetches which piece across, by highest random weight (field notes 2.6). Pure. */
import { type Bitfield, countPieces } from "../../schema/bitfield.ts";
import type { HostId, TaskId } from "../../schema/ids.ts";
import { mixed, weightOf } from "./owned-runs.ts";
import type { TransferPolicy } from "./policy.ts";

/** A host as far as its site matters. */
export interface Member {
  readonly hostId: HostId;
  /** Empty when it states none. */
  readonly idc: string;
  readonly bitfield: Bitfield;
  /** When it was met, or was found to have more than before. */
  readonly gainedAtMs: number;
}

export interface AcrossView {
  readonly taskId: TaskId;
  /** This host, with what it holds. */
  readonly self: Member;
  readonly parents: readonly Member[];
  /** Pieces that are missing, verifiable and not under way. */
  readonly wanted: Uint8Array;
  /** Something is under way. */
  readonly isServed: boolean;
}

/** Who holds this many times less than the best of its site is slow, or came late: others are sooner. */
const MUCH_LESS = 4;
/** Pieces on which nobody is judged. */
const TOO_FEW = 4;

/** Whether both state a site, and not the same. */
export function isAcross(self: { readonly idc: string }, parent: { readonly idc: string }): boolean {
  return self.idc !== "" && parent.idc !== "" && self.idc !== parent.idc;
}

/** Pieces that may be asked of hosts of other sites: those that no neighbour of the own site has, and that fall to this host
 *  among those who get on. `undefined`: all of them, because it knows nobody at home, or was left without anything. */
export function piecesAcross(view: AcrossView, policy: TransferPolicy, nowMs: number): Uint8Array | undefined {
  const { taskId, self, parents, wanted, isServed } = view;
  const away = parents.filter((parent) => isAcross(self, parent));
  if (away.length === 0) return undefined;
  const home = parents.filter(({ idc }) => idc === self.idc);
  if (home.length === 0 || (!isServed && nowMs - self.gainedAtMs >= policy.acrossPatienceMs)) return undefined;
  const counts = new Map([self, ...home].map((member) => [member, countPieces(member.bitfield)] as const));
  const least = Math.max(...counts.values()) / MUCH_LESS - TOO_FEW;
  const getsOn = (member: Member) => (counts.get(member) ?? 0) >= least;
  const across = offeredOf(wanted, away);
  for (const parent of home) {
    if (!getsOn(parent)) continue;
    for (let at = 0; at < across.length; at++) across[at] = (across[at] ?? 0) & ~(parent.bitfield[at] ?? 0);
  }
  const seedOf = ({ hostId }: Member) => weightOf(taskId, 0, hostId);
  const rivals = home.filter((parent) => getsOn(parent) && nowMs - parent.gainedAtMs < policy.ownerPatienceMs);
  const own = getsOn(self) ? seedOf(self) : undefined;
  const others = rivals.map(seedOf);
  for (let piece = 0; piece < across.length * 8; piece++) {
    const bit = 1 << (piece & 7);
    const byte = across[piece >> 3] ?? 0;
    if ((byte & bit) !== 0 && !fallsTo(own, others, piece)) across[piece >> 3] = byte & ~bit;
  }
  return across;
}

function offeredOf(wanted: Uint8Array, parents: readonly Member[]): Uint8Array {
  const offered = new Uint8Array(wanted.length);
  for (const { bitfield } of parents)
    for (let at = 0; at < offered.length; at++)
      offered[at] = (offered[at] ?? 0) | ((bitfield[at] ?? 0) & (wanted[at] ?? 0));
  return offered;
}

function fallsTo(own: number | undefined, others: readonly number[], piece: number): boolean {
  if (own === undefined) return others.length === 0;
  const weight = pieceWeight(own, piece);
  return others.every((other) => pieceWeight(other, piece) < weight);
}

function pieceWeight(seed: number, piece: number): number {
  return mixed(seed ^ Math.imul(piece + 1, 0x9e3779b1));
}
