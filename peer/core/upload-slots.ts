/** When a child that found all upload slots of a parent busy should ask it again. */
import type { UploadPolicy } from "./policy.ts";

/** The time in which a quarter of the slots come free at the pace of late: not all who are refused come back at once, and
 *  meanwhile they ask others.
 *  @param servedPerSecond pieces; 0 while that is not known */
export function slotRetryMs(slots: number, servedPerSecond: number, policy: UploadPolicy): number {
  if (servedPerSecond <= 0) return policy.retryMs;
  const quarterMs = (1000 * Math.max(1, slots / 4)) / servedPerSecond;
  return Math.round(Math.min(policy.retryMaxMs, Math.max(policy.retryMinMs, quarterMs)));
}
