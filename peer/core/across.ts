/** What a host may ask of other sites: a piece should cross into a site once, and spread there. Neighbours of one site agree
 *  without a word on who fetches which piece across, by highest random weight (field notes 2.6). Pure. */
import {
  addAll,
  type Bitfield,
  countPieces,
  hasPiece,
  keepOnly,
  removeAll,
  removePiece,
} from "../../schema/bitfield.ts";
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
  /** Since when each piece could be had only from such hosts; kept up to date here. */
  readonly scarceSinceMs: Map<number, number>;
}

/** Whether both state a site, and not the same. */
export function isAcross(self: { readonly idc: string }, parent: { readonly idc: string }): boolean {
  return self.idc !== "" && parent.idc !== "" && self.idc !== parent.idc;
}

export interface Across {
  /** Hosts of other sites, and slow ones. */
  readonly parents: ReadonlySet<Member>;
  /** What may be asked of them. */
  readonly pieces: Uint8Array;
}

/** What may be asked of hosts of other sites, and of slow ones: pieces that no other neighbour has, and that fall to this host
 *  among those who get on. `undefined`: there are no such hosts, or this one was left without anything. */
export function planAcross(view: AcrossView, policy: TransferPolicy, nowMs: number): Across | undefined {
  const { taskId, self, parents, wanted, isServed, scarceSinceMs } = view;
  if (!isServed && nowMs - self.gainedAtMs >= policy.acrossPatienceMs) return undefined;
  const { swift, away, isSlow, isAlone } = groupsOf(self, parents, policy);
  if (away.length === 0 || isAlone) return undefined;
  const pieces = new Uint8Array(wanted.length);
  for (const { bitfield } of away) addAll(pieces, bitfield);
  keepOnly(pieces, wanted);
  for (const { bitfield } of swift) removeAll(pieces, bitfield);
  const seedOf = ({ hostId }: Member) => weightOf(taskId, 0, hostId);
  const own = isSlow ? undefined : seedOf(self);
  const others = swift.filter(({ gainedAtMs }) => nowMs - gainedAtMs < policy.ownerPatienceMs).map(seedOf);
  for (const piece of scarceSinceMs.keys()) if (!hasPiece(pieces, piece)) scarceSinceMs.delete(piece);
  for (let piece = 0; piece < pieces.length * 8; piece++) {
    if (!hasPiece(pieces, piece)) continue;
    const sinceMs = scarceSinceMs.get(piece) ?? nowMs;
    scarceSinceMs.set(piece, sinceMs);
    const patientForMs = policy.acrossTurnMs * rankOf(own, others, piece);
    if (patientForMs > 0 && nowMs - sinceMs < patientForMs) removePiece(pieces, piece);
  }
  return { parents: new Set(away), pieces };
}

/** Neighbours by what is asked of them: `swift` are those of its own site who get on, and `away` is who is asked for little.
 *  `isSlow`: this host does not get on. All neighbours are looked at whenever requests are planned: each is counted once. */
function groupsOf(self: Member, parents: readonly Member[], policy: TransferPolicy) {
  const counts = parents.map((parent) => (isAcross(self, parent) ? undefined : countPieces(parent.bitfield)));
  const ownCount = countPieces(self.bitfield);
  let most = ownCount;
  for (const count of counts) if (count !== undefined && count > most) most = count;
  const least = most / policy.acrossMuchLess - policy.acrossFewPieces;
  const isSlow = ownCount < least;
  const swift: Member[] = [];
  const away: Member[] = [];
  for (let at = 0; at < parents.length; at++) {
    const parent = parents[at];
    const count = counts[at];
    if (parent === undefined) continue;
    if (count !== undefined && count >= least) swift.push(parent);
    // A slow host asks everybody at home: it is no loss who serves it.
    else if (count === undefined || !isSlow) away.push(parent);
  }
  return { swift, away, isSlow, isAlone: counts.every((count) => count === undefined) };
}

/** How many come before this host; a slow one comes last. */
function rankOf(own: number | undefined, others: readonly number[], piece: number): number {
  if (own === undefined) return others.length;
  const weight = pieceWeight(own, piece);
  return others.reduce((rank, other) => (pieceWeight(other, piece) > weight ? rank + 1 : rank), 0);
}

function pieceWeight(seed: number, piece: number): number {
  return mixed(seed ^ Math.imul(piece + 1, 0x9e3779b1));
}
