/** How often a neighbour is asked what it has. Each question costs both hosts more CPU than 64 KiB of a piece do, and a
 *  herd would ask twenty neighbours for every piece that each of them gets: a host has so many questions for all of them. */
import type { Bitfield } from "../../schema/bitfield.ts";
import type { TransferPolicy } from "./policy.ts";

export interface NewsView {
  /** What the neighbour is known to offer. */
  readonly offered: Bitfield;
  readonly held: Bitfield;
  /** Whom we ask, this one among them. */
  readonly neighbourCount: number;
  /** Pieces we got a second lately, from anybody; 0 while that is not known. */
  readonly piecesPerSecond: number;
  /** `isHungry()`; looked at only where it makes a difference. */
  readonly hungry: () => boolean;
}

/** Whether hardly more pieces are known to be on offer for us than are under way already.
 *  @param offers what neighbours are known to offer, or all of them together */
export function isHungry(
  { held, offers, underWayCount }: { held: Bitfield; offers: readonly Bitfield[]; underWayCount: number },
  { hungryPieces }: TransferPolicy,
): boolean {
  const few = underWayCount + hungryPieces;
  return usefulCount(offers, held, few) <= few;
}

/** From what was heard last until the next question: half the time in which we could take all it is known to have for us, so that
 *  it never runs out of that unseen, and no less than it takes until it is its turn among all we ask. */
export function newsPauseMs(view: NewsView, policy: TransferPolicy): number {
  const { offered, held, neighbourCount, piecesPerSecond } = view;
  if (piecesPerSecond <= 0) return policy.newsPauseMs;
  const halfMs = (1000 * usefulCount([offered], held)) / piecesPerSecond / 2;
  const turnMs = (1000 * neighbourCount) / questionsPerSecond(view, policy);
  return Math.max(policy.newsPauseMs, turnMs, Math.min(policy.newsPauseMaxMs, halfMs));
}

/** Of all neighbours together. Where pieces come seldom there is little to tell: a machine that has more to do than it can would do
 *  nothing but ask. */
function questionsPerSecond(
  { piecesPerSecond, hungry }: NewsView,
  { questionsPerPiece, fewestQuestionsPerSecond, mostQuestionsPerSecond, piecesPerQuestion }: TransferPolicy,
): number {
  const byPace = piecesPerSecond * questionsPerPiece;
  const some = byPace >= mostQuestionsPerSecond || hungry() ? mostQuestionsPerSecond : byPace;
  return Math.max(fewestQuestionsPerSecond, some, piecesPerSecond / piecesPerQuestion);
}

/** Pieces that are on offer and not held. @param enough above it the count is not whole */
function usefulCount(offers: readonly Bitfield[], held: Bitfield, enough = Number.POSITIVE_INFINITY): number {
  let count = 0;
  for (let at = 0; at < held.length && count <= enough; at++) {
    let useful = 0;
    for (const offer of offers) useful |= offer[at] ?? 0;
    for (useful &= ~(held[at] ?? 0); useful !== 0; useful &= useful - 1) count++;
  }
  return count;
}
