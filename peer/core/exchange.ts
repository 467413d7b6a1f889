/** Which neighbours a download would exchange for others: some drawn at the beginning may be on slow lines, or far from all that it
 *  lacks, and nobody knows before they were tried. Pure. */
import type { HostId } from "../../schema/ids.ts";
import type { TransferPolicy } from "./policy.ts";

/** A neighbour as far as it gave anything. */
export interface GivingView {
  readonly hostId: HostId;
  readonly metAtMs: number;
  /** Since the last exchange, or since it was met. */
  readonly gaveBytes: number;
  readonly activeRequests: number;
}

/** The few that gave least in the time since the last exchange, least first. Who was met lately has not been tried, and who sends
 *  something just now gives. */
export function toExchange(
  neighbours: readonly GivingView[],
  sinceMs: number,
  { exchangeMs, exchangedNeighbours }: TransferPolicy,
  nowMs: number,
): HostId[] {
  return neighbours
    .filter(({ metAtMs, activeRequests }) => activeRequests === 0 && nowMs - metAtMs >= exchangeMs / 2)
    .map(({ hostId, metAtMs, gaveBytes }) => ({
      hostId,
      pace: gaveBytes / Math.max(1, nowMs - Math.max(metAtMs, sinceMs)),
    }))
    .sort((a, b) => a.pace - b.pace)
    .slice(0, exchangedNeighbours)
    .map(({ hostId }) => hostId);
}

/** When a download exchanges neighbours next: each at another moment, so that a herd does not all at once.
 *  @param random in [0, 1) */
export function firstExchangeAtMs(beganAtMs: number, { exchangeMs }: TransferPolicy, random: () => number): number {
  return beganAtMs + exchangeMs * (0.5 + random());
}
