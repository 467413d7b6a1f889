/** What went wrong with other hosts since the process began, over all downloads. */
import { LOSS_REASONS, type LossReason } from "../../schema/wire/local.ts";

export interface Troubles {
  /** Pieces that came with other bytes than their digests say. */
  piecesCorrupt: number;
  /** Neighbours that were given up, and reported. */
  readonly neighboursLost: Record<LossReason, number>;
}

export function createTroubles(): Troubles {
  const neighboursLost = Object.fromEntries(LOSS_REASONS.map((reason) => [reason, 0])) as Record<LossReason, number>;
  return { piecesCorrupt: 0, neighboursLost };
}
