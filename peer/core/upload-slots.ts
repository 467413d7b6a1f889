/** When a child that found all upload slots of a parent busy should ask it again. */
import type { UploadPolicy } from "./policy.ts";

/** The time in which some of the slots come free at the pace of late; meanwhile the child asks others.
 *  @param servedPerSecond pieces; 0 while that is not known */
export function slotRetryMs(slots: number, servedPerSecond: number, policy: UploadPolicy): number {
  if (servedPerSecond <= 0) return policy.retryMs;
  const someMs = (1000 * Math.max(1, slots * policy.retrySlotsShare)) / servedPerSecond;
  return Math.round(Math.min(policy.retryMaxMs, Math.max(policy.retryMinMs, someMs)));
}
