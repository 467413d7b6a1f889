/** Which parents may be asked for more, and whom to ask first. */
import type { Bitfield } from "../../schema/bitfield.ts";
import type { ParentView } from "./transfer-view.ts";

/** A parent that may be asked for more. */
export interface Candidate {
  readonly parent: ParentView;
  /** Requests under way there, with those planned now. */
  load: number;
  readonly tie: number;
}

/** Parents that may be asked now, with fewer than `most` requests under way, for any of these pieces. */
export function candidatesOf(
  parents: readonly ParentView[],
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

export function leastLoaded(candidates: readonly Candidate[]): Candidate | undefined {
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

export function hasAny(offered: Bitfield, wanted: Uint8Array): boolean {
  for (let at = 0; at < wanted.length; at++) if (((offered[at] ?? 0) & (wanted[at] ?? 0)) !== 0) return true;
  return false;
}
