/** Who waits for the source in vain, and is told so. */
import type { TallyReason } from "../../schema/wire/tallies.ts";
import { isOutOfReach } from "./avoid.ts";
import { isCutOff } from "./cut-off.ts";
import { isBanned } from "./host.ts";
import type { Peer } from "./peer.ts";
import type { Policy } from "./policy.ts";
import { waitsForSeed } from "./seeds.ts";
import { NEVER_MS } from "./swarm.ts";
import type { SourceProblem, Task } from "./task.ts";
import { send, type Turn } from "./turn.ts";

/** When nobody who wants the task may read the source, and nobody holds or reads what is missing, they are told why. */
export function refuseHopeless(turn: Turn, task: Task): void {
  if (task.recovery !== undefined || task.leases.size > 0 || task.pieces.unheldCount === 0) return;
  for (const peer of task.running) if (obstacleOf(turn, peer) === undefined) return;
  if (waitsForSeed(turn, task)) return;
  for (const peer of task.running) tellRefused(turn, peer, obstacleOf(turn, peer));
}

/** The same for peers that are cut off from what others hold: nobody they can reach may read it, or reads, either. */
export function refuseCutOff(turn: Turn, task: Task): void {
  for (const peer of task.wary) {
    if (!task.running.has(peer) || !peer.cutOff || peer.refused || peer.leases.size > 0) continue;
    if (obstacleOf(turn, peer) === undefined || !isCutOff(turn, peer)) continue;
    const within = [...task.running].filter((other) => !isOutOfReach(turn, peer, other));
    if (within.every((other) => other.leases.size === 0 && obstacleOf(turn, other) !== undefined)) {
      tellRefused(turn, peer, obstacleOf(turn, peer));
    }
  }
}

/** Readers that come and go may find out one after the other that the source is silent, so that never all of them know at
 *  once: who waited long enough is told anyway. */
export function refuseSilent(turn: Turn, task: Task): void {
  const { pieces, recovery, wary, running, createdAtMs, sourceMovedAtMs } = task;
  if (recovery !== undefined || pieces.unheldCount === 0) task.providedAtMs = turn.nowMs;
  for (const peer of wary) if (!awaitsSource(peer)) peer.providedAtMs = turn.nowMs;
  // Too early for anybody: a herd is not looked through for each message.
  if (turn.nowMs < Math.max(createdAtMs, sourceMovedAtMs) + turn.policy.sourceSilentMs) return;
  for (const peer of running) {
    if (peer.refused || turn.nowMs < silentAtMs(peer, turn.policy)) continue;
    if (task.pieces.unheldCount === 0 && !isCutOff(turn, peer)) continue;
    const minutes = Math.round(turn.policy.sourceSilentMs / 60_000);
    const message = `The source sent nothing to any host for ${minutes} minutes, and no host that could be reached has the rest: check that it answers, and ask again`;
    tellRefused(turn, peer, { code: "source-unreachable", message }, "source-silent");
  }
}

/** When this peer counts as waiting for a silent source; `NEVER_MS` while it does not wait for the source. */
export function silentAtMs(peer: Peer, policy: Policy): number {
  if (!awaitsSource(peer)) return NEVER_MS;
  const { wary, providedAtMs, sourceMovedAtMs } = peer.task;
  const provided = wary.has(peer) ? peer.providedAtMs : providedAtMs;
  return Math.max(peer.movedAtMs, provided, sourceMovedAtMs) + policy.sourceSilentMs;
}

/** Whether something it lacks can only come from the source. */
function awaitsSource({ task, cutOff }: Peer): boolean {
  return task.recovery === undefined && (task.pieces.unheldCount > 0 || cutOff);
}

function tellRefused(
  turn: Turn,
  peer: Peer,
  problem: SourceProblem | undefined,
  reason: TallyReason<"readersRefused"> = problem === BANNED ? "banned" : "source-failed",
): void {
  if (peer.refused || problem === undefined) return;
  peer.refused = true;
  turn.swarm.tallies.readersRefused[reason]++;
  send(turn, peer.host, { type: "refused", taskId: peer.task.info.taskId, ...problem });
}

const BANNED: SourceProblem = {
  code: "forbidden",
  message:
    "This host served bytes that differ from their digests, so it may not read the source for others now, and nobody has all of the task: check its disk and memory, and try again later",
};

/** Why this peer may not read the source, beyond waiting for its turn. */
export function obstacleOf(turn: Turn, peer: Peer): SourceProblem | undefined {
  if (isBanned(peer.host, turn.nowMs)) return BANNED;
  const failed = peer.sourceFailed && turn.nowMs < peer.leaseBackoffUntilMs;
  return failed ? peer.task.sourceProblem : undefined;
}
