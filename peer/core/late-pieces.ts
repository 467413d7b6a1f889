/** Pieces that were asked for a while ago and have not come. */
import type { TransferPolicy } from "./policy.ts";
import type { InFlight, TransferView } from "./transfer-view.ts";

export function lateCount({ inFlight }: TransferView, { hedgeAfterMs }: TransferPolicy, nowMs: number): number {
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

/** Whether nothing came for as long as makes a piece late, and nothing is asked for twice. */
export function isWithoutGain(
  { inFlight, gainedAtMs }: TransferView,
  { hedgeAfterMs }: TransferPolicy,
  nowMs: number,
): boolean {
  if (nowMs - gainedAtMs < hedgeAfterMs) return false;
  for (const { parents } of inFlight.values()) if (parents.length > 1) return false;
  return true;
}
