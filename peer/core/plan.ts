/** Which piece to ask of which parent next: a pure choice over what is held, wanted, under way and on offer. */
import { type Bitfield, countPieces, hasPiece, removePiece } from "../../schema/bitfield.ts";
import type { HostId, TaskId } from "../../schema/ids.ts";
import { type Member, planAcross } from "./across.ts";
import type { TransferPolicy } from "./policy.ts";

/** A neighbour; its bitfield is what it offers. */
export interface ParentView extends Member {
  readonly activeRequests: number;
  /** Not asked before this moment. */
  readonly restUntilMs: number;
  /** How long it took over the last piece it brought, or that another brought sooner; `undefined` when there was none yet. */
  readonly lastPieceMs: number | undefined;
}

/** A piece that was asked for and has not come yet. */
export interface InFlight {
  readonly parents: readonly HostId[];
  readonly sinceMs: number;
}

export interface TransferView {
  readonly taskId: TaskId;
  /** This host. */
  readonly hostId: HostId;
  readonly idc: string;
  /** When it began, or got a piece last. */
  readonly gainedAtMs: number;
  readonly pieceCount: number;
  readonly pieceLengthBytes: number;
  readonly held: Bitfield;
  /** Pieces whose digest is known: nothing else can be verified, so nothing else is asked for. */
  readonly verifiable: Bitfield;
  /** Pieces that come from the source under a lease of ours. */
  readonly leased: Bitfield;
  /** Streams of the source that bring them. */
  readonly leaseCount: number;
  readonly inFlight: ReadonlyMap<number, InFlight>;
  readonly parents: readonly ParentView[];
  /** What they offer together, where that is known without a look at each. */
  readonly offered?: Bitfield;
  /** See `AcrossView`. */
  readonly scarceSinceMs: Map<number, number>;
  /** Requests that what all downloads share has left for this one. */
  readonly spareRequests: number;
  /** Next pieces of readers who take the content in order; empty when nobody reads. */
  readonly cursors: readonly number[];
}

export interface PieceRequest {
  readonly hostId: HostId;
  readonly piece: number;
  /** A second request for a piece that is late. */
  readonly hedge: boolean;
}

/** A parent that may be asked for more. */
interface Candidate {
  readonly parent: ParentView;
  /** Requests under way there, with those planned now. */
  load: number;
  readonly tie: number;
}

/** Requests to start now, as many as slots and credits allow. Parents with the fewest requests under way come first, so
 *  that uplinks share the work evenly; ties are broken by chance. */
export function planRequests(
  view: TransferView,
  policy: TransferPolicy,
  nowMs: number,
  random: () => number,
): PieceRequest[] {
  const requests: PieceRequest[] = [];
  const late = lateCount(view, policy, nowMs);
  const spare = freeRequests(view, policy);
  const room = Math.min(spare, paceRoom(view, policy, late));
  // Beyond the pace: pieces that are all late may be so because of their parents.
  const swiftRoom = room <= 0 && areAllLate(view.inFlight, policy, nowMs) ? hedgeRoom(view, policy) : 0;
  const isStuck = room <= 0 && spare > 0 && isWithoutGain(view, policy, nowMs);
  if (room <= 0 && swiftRoom <= 0 && !isStuck) return requests;
  const most = mostPerParent(view, policy);
  const wanted = wantedPieces(view);
  // Most looks are in vain, in a big herd above all. What nobody offers is nobody's alone, either.
  if (late === 0 && !isOffered(wanted, view)) {
    view.scarceSinceMs.clear();
    return requests;
  }
  const across = planAcross(
    {
      taskId: view.taskId,
      self: selfOf(view),
      parents: view.parents,
      wanted,
      isServed: view.inFlight.size > 0 || view.leased.some((byte) => byte !== 0),
      scarceSinceMs: view.scarceSinceMs,
    },
    policy,
    nowMs,
  );
  const isFar = (parent: ParentView) => across?.parents.has(parent) ?? false;
  const piecesFrom = (parent: ParentView) => (across !== undefined && isFar(parent) ? across.pieces : wanted);
  const open = candidatesOf(view, nowMs, random, most, piecesFrom);
  while (requests.length < room) {
    const next = leastLoaded(open);
    if (next === undefined) break;
    const piece = choosePiece(piecesFrom(next.parent), next.parent.bitfield, startOf(view, policy, random), random);
    if (piece !== undefined) {
      removePiece(wanted, piece);
      if (across !== undefined) removePiece(across.pieces, piece);
      next.load++;
      requests.push({ hostId: next.parent.hostId, piece, hedge: false });
    }
    if (piece === undefined || next.load >= most) open.splice(open.indexOf(next), 1);
  }
  const hedges = (most: number, willing: (parent: ParentView) => boolean) =>
    planHedges(view, policy, nowMs, random, requests, most, isFar, willing);
  if (room > 0) return [...requests, ...hedges(room - requests.length, () => true)];
  const swift = hedges(swiftRoom, (parent) => isSwift(parent, view, policy));
  return isStuck && swift.length === 0 ? hedges(1, () => true) : swift;
}

/** Parents that may be asked now, with fewer than `most` requests under way, for any of these pieces. */
function candidatesOf(
  { parents }: TransferView,
  nowMs: number,
  random: () => number,
  most: number,
  piecesFrom: (parent: ParentView) => Uint8Array,
): Candidate[] {
  const able: Candidate[] = [];
  for (const parent of parents) {
    if (parent.restUntilMs > nowMs || parent.activeRequests >= most) continue;
    if (!hasAny(parent.bitfield, piecesFrom(parent))) continue;
    able.push({ parent, load: parent.activeRequests, tie: random() });
  }
  return able;
}

function isOffered(wanted: Uint8Array, { parents, offered }: TransferView): boolean {
  if (!hasAny(wanted, wanted)) return false;
  if (offered !== undefined) return hasAny(offered, wanted);
  for (const { bitfield } of parents) if (hasAny(bitfield, wanted)) return true;
  return false;
}

function hasAny(offered: Bitfield, wanted: Uint8Array): boolean {
  for (let at = 0; at < wanted.length; at++) if (((offered[at] ?? 0) & (wanted[at] ?? 0)) !== 0) return true;
  return false;
}

/** Requests that one parent gets: few where there are many parents. Where everybody asks the same few hosts for the same
 *  few pieces, each of those comes late, and then everybody has the same. */
function mostPerParent({ parents }: TransferView, { requestsPerTask, requestsPerParent }: TransferPolicy): number {
  return Math.min(requestsPerParent, Math.ceil(requestsPerTask / Math.max(1, parents.length)));
}

/** Requests that may begin now as far as our own line is known to bear them: few at first, and fewer where many are late. On a
 *  line of 4 Mbit/s twelve pieces at a time come after six seconds, all together, and nobody can be passed anything before. */
function paceRoom(
  { held, inFlight, leaseCount }: TransferView,
  { requestsPerTask, requestsAtFirst }: TransferPolicy,
  late: number,
): number {
  const most = Math.max(requestsAtFirst, requestsPerTask - late);
  return Math.min(requestsAtFirst + countPieces(held), most) - inFlight.size - leaseCount;
}

function lateCount({ inFlight }: TransferView, { hedgeAfterMs }: TransferPolicy, nowMs: number): number {
  let late = 0;
  for (const { sinceMs } of inFlight.values()) if (nowMs - sinceMs >= hedgeAfterMs) late++;
  return late;
}

/** Whether all that is under way is late. */
export function areAllLate(
  inFlight: ReadonlyMap<number, InFlight>,
  { hedgeAfterMs }: TransferPolicy,
  nowMs: number,
): boolean {
  for (const { sinceMs } of inFlight.values()) if (nowMs - sinceMs < hedgeAfterMs) return false;
  return inFlight.size > 0;
}

/** Second requests that may begin where all is late, also beyond the slots. */
function hedgeRoom(view: TransferView, policy: TransferPolicy): number {
  return Math.min(policy.hedgeRequests, freeRequests(view, policy, policy.hedgeRequests));
}

/** Whether nothing came for as long as makes a piece late, and nothing is asked for twice. */
function isWithoutGain(
  { inFlight, gainedAtMs }: TransferView,
  { hedgeAfterMs }: TransferPolicy,
  nowMs: number,
): boolean {
  if (nowMs - gainedAtMs < hedgeAfterMs) return false;
  for (const { parents } of inFlight.values()) if (parents.length > 1) return false;
  return true;
}

/** Whether its last piece was not late, and nothing is that all waits for. Where our own line is slow there is none of the kind. */
function isSwift(
  { hostId, lastPieceMs }: ParentView,
  { inFlight }: TransferView,
  { hedgeAfterMs }: TransferPolicy,
): boolean {
  if (lastPieceMs === undefined || lastPieceMs >= hedgeAfterMs) return false;
  for (const { parents } of inFlight.values()) if (parents.includes(hostId)) return false;
  return true;
}

function leastLoaded(candidates: readonly Candidate[]): Candidate | undefined {
  let least: Candidate | undefined;
  for (const candidate of candidates) {
    if (
      least === undefined ||
      candidate.load < least.load ||
      (candidate.load === least.load && candidate.tie < least.tie)
    )
      least = candidate;
  }
  return least;
}

/** @param beyond so many more than slots and credits of the task allow */
function freeRequests(view: TransferView, policy: TransferPolicy, beyond = 0): number {
  let active = 0;
  for (const flight of view.inFlight.values()) active += flight.parents.length;
  // At least one request is allowed whatever the piece length, or a task of huge pieces could never start.
  const byBytes = Math.max(1, Math.floor(policy.outstandingBytes / view.pieceLengthBytes));
  return Math.min(view.spareRequests, Math.min(policy.requestsPerTask, byBytes) + beyond - active);
}

/** Pieces neither held, nor under way, nor coming from the source, that could be verified. */
function wantedPieces(view: TransferView): Uint8Array {
  const wanted = new Uint8Array(view.held.length);
  for (let at = 0; at < wanted.length; at++) {
    wanted[at] = (view.verifiable[at] ?? 0) & ~(view.held[at] ?? 0) & ~(view.leased[at] ?? 0);
  }
  for (const piece of view.inFlight.keys()) removePiece(wanted, piece);
  return wanted;
}

function selfOf({ hostId, idc, held, gainedAtMs }: TransferView): Member {
  return { hostId, idc, bitfield: held, gainedAtMs };
}

/** Where to look for the next piece: in order from a reader's cursor or the beginning, or anywhere. */
function startOf(
  view: TransferView,
  policy: TransferPolicy,
  random: () => number,
): { piece: number; inOrder: boolean } {
  const share = view.cursors.length > 0 ? policy.readerShare : policy.inOrderShare;
  if (random() >= share) return { piece: Math.floor(random() * view.pieceCount), inOrder: false };
  return { piece: view.cursors[Math.floor(random() * view.cursors.length)] ?? 0, inOrder: true };
}

/** The first useful piece from `start` on, round the end of the task. */
function choosePiece(
  wanted: Uint8Array,
  offered: Bitfield,
  start: { readonly piece: number; readonly inOrder: boolean },
  random: () => number,
): number | undefined {
  const first = start.piece >> 3;
  for (let step = 0; step <= wanted.length; step++) {
    const at = (first + step) % wanted.length;
    let useful = (wanted[at] ?? 0) & (offered[at] ?? 0);
    // What lies before the start in its own byte comes last.
    if (start.inOrder && step === 0) useful &= 0xff << (start.piece & 7);
    if (useful !== 0) return at * 8 + (start.inOrder ? lowestBit(useful) : anyBit(useful, random));
  }
  return undefined;
}

function lowestBit(byte: number): number {
  return 31 - Math.clz32(byte & -byte);
}

function anyBit(byte: number, random: () => number): number {
  const bits = [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte & (1 << bit)) !== 0);
  return bits[Math.floor(random() * bits.length)] ?? lowestBit(byte);
}

/** Late pieces are asked of one more parent that has them, oldest first: of one at home first, and elsewhere with more patience. */
function planHedges(
  view: TransferView,
  policy: TransferPolicy,
  nowMs: number,
  random: () => number,
  planned: readonly PieceRequest[],
  most: number,
  isFar: (parent: ParentView) => boolean,
  isWilling: (parent: ParentView) => boolean,
): PieceRequest[] {
  const late = [...view.inFlight]
    // The slower of two requests takes a while to end: its piece is held, and must not be asked for a third time.
    .filter(([piece]) => !hasPiece(view.held, piece))
    .filter(([, flight]) => flight.parents.length === 1 && nowMs - flight.sinceMs >= policy.hedgeAfterMs)
    .sort(([, a], [, b]) => a.sinceMs - b.sinceMs);
  const hedges: PieceRequest[] = [];
  if (late.length === 0 || most <= 0) return hedges;
  const willing = candidatesOf(view, nowMs, random, policy.requestsPerParent, () => view.verifiable).filter(
    ({ parent }) => isWilling(parent),
  );
  // Whoever is late with another piece would be with this one.
  const lateParents = new Set(late.flatMap(([, { parents }]) => parents));
  const soonest = (able: readonly Candidate[]) =>
    leastLoaded(able.filter(({ parent }) => !lateParents.has(parent.hostId))) ?? leastLoaded(able);
  for (const candidate of willing)
    candidate.load += planned.filter(({ hostId }) => hostId === candidate.parent.hostId).length;
  for (const [piece, flight] of late) {
    if (hedges.length >= most) break;
    const able = willing.filter(
      ({ parent, load }) =>
        load < policy.requestsPerParent && !flight.parents.includes(parent.hostId) && hasPiece(parent.bitfield, piece),
    );
    const isPatient = nowMs - flight.sinceMs < policy.farHedgeAfterMs;
    const near = soonest(able.filter(({ parent }) => !isFar(parent)));
    const second = near ?? (isPatient ? undefined : soonest(able.filter(({ parent }) => isFar(parent))));
    if (second === undefined) continue;
    second.load++;
    hedges.push({ hostId: second.parent.hostId, piece, hedge: true });
  }
  return hedges;
}
