/** Hosts on much slower lines than others: what they read would have to come to everybody over those. */
import { askHowFar, askShorter } from "./grant.ts";
import { pieceUnderWay, readingMs } from "./lease-pace.ts";
import type { Peer } from "./peer.ts";
import type { Task } from "./task.ts";
import type { Turn } from "./turn.ts";

/** Those who are not slow, as far as is known. There is one at least. Who holds about as much as the best was not held up by its
 *  line, and who came late is judged by what it got since. */
export function swiftOf(turn: Pick<Turn, "nowMs" | "policy">, readers: readonly Peer[]): readonly Peer[] {
  const { muchSlower } = turn.policy;
  let bestPace = 0;
  let mostHeld = 0;
  for (const peer of readers) {
    bestPace = Math.max(bestPace, gainPace(turn, peer) ?? 0);
    mostHeld = Math.max(mostHeld, peer.heldCount);
  }
  if (bestPace === 0) return readers;
  const isSlow = (peer: Peer) =>
    peer.heldCount * muchSlower < mostHeld && (gainPace(turn, peer) ?? bestPace) * muchSlower < bestPace;
  return readers.filter((peer) => !isSlow(peer));
}

/** Asks hosts that are slow beside the others who read for all of their leases but the pieces under way, where the rest is known
 *  to take them long: one that came first was given long runs. Who has got nothing in a time in which others got several pieces is asked how far it is. */
export function takeFromSlowHosts(turn: Turn, task: Task): void {
  const holders = [...new Set([...task.leases.values()].map(({ peer }) => peer))];
  askSilent(turn, holders);
  const swift = new Set(swiftOf(turn, holders));
  if (swift.size === holders.length) return;
  for (const lease of task.leases.values()) {
    if (swift.has(lease.peer) || lease.readBytes === 0 || isBusy(turn, lease.peer)) continue;
    const pieceCount = pieceUnderWay(lease) + 1 - lease.firstPiece;
    const restBytes = (lease.pieceCount - pieceCount) * task.info.pieceLengthBytes;
    if (readingMs(lease, restBytes, turn.policy) > turn.policy.slowRestMs) askShorter(turn, lease, pieceCount);
  }
}

/** Whether a source of this task sent it more than it took, a while ago: its line is not what is slow. */
export function isBusy({ nowMs, policy }: Pick<Turn, "nowMs" | "policy">, { backlogAtMs }: Peer): boolean {
  return nowMs - backlogAtMs < policy.leaseSlowMs;
}

function askSilent(turn: Turn, holders: readonly Peer[]): void {
  const { nowMs, policy } = turn;
  const mostHeld = Math.max(0, ...holders.map(({ heldCount }) => heldCount));
  if (mostHeld <= policy.muchSlower) return;
  for (const { leases, heldCount, beganHeldCount } of holders) {
    const [oldest] = leases;
    if (oldest === undefined || heldCount > beganHeldCount) continue;
    const { grantedAtMs, statedAtMs, askedAtMs } = oldest;
    const knownAtMs = grantedAtMs + policy.paceKnownMs;
    if (nowMs >= knownAtMs && statedAtMs < knownAtMs && askedAtMs < knownAtMs) askHowFar(turn, oldest);
  }
}

/** Pieces a second that a peer got from anybody since it began; `undefined` while that says nothing. */
function gainPace({ nowMs, policy }: Pick<Turn, "nowMs" | "policy">, peer: Peer): number | undefined {
  const { heldCount, beganHeldCount, beganAtMs, movedAtMs, leases } = peer;
  if (movedAtMs <= beganAtMs) {
    const [oldest] = leases;
    // What was got in trade is reported late: only who was heard since has got nothing.
    const heardAfterMs = oldest === undefined ? 0 : oldest.statedAtMs - oldest.grantedAtMs;
    return heardAfterMs < policy.paceKnownMs ? undefined : 1000 / heardAfterMs;
  }
  if (nowMs - beganAtMs < policy.paceKnownMs) return undefined;
  return ((heldCount - beganHeldCount) * 1000) / (movedAtMs - beganAtMs);
}
