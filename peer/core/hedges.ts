/** Second requests for pieces that are late. */
import { hasPiece } from "../../schema/bitfield.ts";
import { type Candidate, candidatesOf, leastLoaded } from "./candidates.ts";
import type { TransferPolicy } from "./policy.ts";
import type { ParentView, PieceRequest, TransferView } from "./transfer-view.ts";

/** Late pieces are asked of one more parent that has them, oldest first: of one at home first, and elsewhere with more patience. */
export function planHedges(
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
  const willing = candidatesOf(view.parents, nowMs, random, policy.requestsPerParent, () => view.verifiable).filter(
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

/** Whether its last piece was not late, and nothing is that all waits for. Where our own line is slow there is none of the kind. */
export function isSwift(
  { hostId, lastPieceMs }: ParentView,
  { inFlight }: TransferView,
  { hedgeAfterMs }: TransferPolicy,
): boolean {
  if (lastPieceMs === undefined || lastPieceMs >= hedgeAfterMs) return false;
  for (const { parents } of inFlight.values()) if (parents.includes(hostId)) return false;
  return true;
}
