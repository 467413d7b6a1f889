/** How a herd gets rid of a liar, told from what was asked of it. */
import type { RelayedRequest } from "../../tests/fixtures/lying-relay.ts";

export interface CutOff {
  /** Bodies with a wrong bit that somebody took. */
  readonly rottenCount: number;
  /** For each host that asked anything of it: from the first rotten body until its last request; 0 for those who asked
   *  only before. */
  readonly lastAskMs: readonly number[];
  /** How many of them asked nothing in the second half of the time since the first rotten body. */
  readonly goneCount: number;
}

/** @param nowMs since the epoch, when the requests were counted
 *  @returns undefined when it told no lie, because nobody took content of it */
export function cutOffOf(requests: readonly RelayedRequest[], nowMs: number): CutOff | undefined {
  const rotten = requests.filter((request) => request.rotten);
  const firstMs = Math.min(...rotten.map(({ atMs }) => atMs));
  if (rotten.length === 0) return undefined;
  const last = new Map<string, number>();
  for (const { hostId, atMs } of requests) last.set(hostId, Math.max(last.get(hostId) ?? 0, atMs - firstMs));
  const lastAskMs = [...last.values()];
  const goneCount = lastAskMs.filter((ms) => ms < (nowMs - firstMs) / 2).length;
  return { rottenCount: rotten.length, lastAskMs, goneCount };
}
