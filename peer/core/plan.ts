/** Which piece to ask of which parent next: a pure choice over what is held, wanted, under way and on offer. */
import { removePiece } from "../../schema/bitfield.ts";
import { type Member, planAcross } from "./across.ts";
import { candidatesOf, hasAny, leastLoaded } from "./candidates.ts";
import { choosePiece, startOf } from "./choose-piece.ts";
import { isSwift, planHedges } from "./hedges.ts";
import { areAllLate, isWithoutGain, lateCount } from "./late-pieces.ts";
import type { TransferPolicy } from "./policy.ts";
import { freeRequests, hedgeRoom, mostPerParent, paceRoom } from "./request-room.ts";
import type { ParentView, PieceRequest, TransferView } from "./transfer-view.ts";

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
  const open = candidatesOf(view.parents, nowMs, random, most, piecesFrom);
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

function isOffered(wanted: Uint8Array, { parents, offered }: TransferView): boolean {
  if (!hasAny(wanted, wanted)) return false;
  if (offered !== undefined) return hasAny(offered, wanted);
  for (const { bitfield } of parents) if (hasAny(bitfield, wanted)) return true;
  return false;
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
