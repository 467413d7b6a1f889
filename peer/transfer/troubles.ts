/** What went wrong with other hosts since the process began, over all downloads. */
import { type Hedges, LOSS_REASONS, type LossReason, PARENT_FAILURES } from "../../schema/wire/local.ts";
import type { ParentFailure } from "../core/parent-rest.ts";

export interface Troubles {
  /** Pieces that came with other bytes than their digests say. */
  piecesCorrupt: number;
  /** Requests that parents did not serve. */
  readonly parentFailures: Record<ParentFailure, number>;
  /** Pieces that were late. */
  readonly hedges: Hedges;
  /** Neighbours that were given up, and reported. */
  readonly neighboursLost: Record<LossReason, number>;
}

export function createTroubles(): Troubles {
  return {
    piecesCorrupt: 0,
    parentFailures: createCounts(PARENT_FAILURES),
    hedges: createHedges(),
    neighboursLost: createCounts(LOSS_REASONS),
  };
}

export function createHedges(): Hedges {
  return { asked: 0, won: 0, doubleBytes: 0 };
}

/** Every name from the start, so that a rate of it can be taken. */
export function createCounts<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}
