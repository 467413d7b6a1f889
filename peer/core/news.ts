/** How often a neighbour is asked what it has. Each question costs both hosts more CPU than 64 KiB of a piece do, and a
 *  herd would ask twenty neighbours for every piece that each of them gets. */
import type { Bitfield } from "../../schema/bitfield.ts";
import { countPieces } from "../../schema/bitfield.ts";
import type { TransferPolicy } from "./policy.ts";

export interface NewsView {
  /** What the neighbour is known to offer. */
  readonly offered: Bitfield;
  readonly held: Bitfield;
  /** Pieces we got a second lately, from anybody; 0 while that is not known. */
  readonly piecesPerSecond: number;
}

/** Pause before the next question: half the time in which we could take all it is known to have for us, so that it never
 *  runs out of that unseen. */
export function newsPauseMs({ offered, held, piecesPerSecond }: NewsView, policy: TransferPolicy): number {
  if (piecesPerSecond <= 0) return policy.newsPauseMs;
  const useful = countPieces(offered.map((byte, at) => byte & ~(held[at] ?? 0)));
  const halfMs = (1000 * useful) / piecesPerSecond / 2;
  return Math.min(policy.newsPauseMaxMs, Math.max(policy.newsPauseMs, halfMs));
}
