/** After a restart memory is behind what hosts hold and read. A task that was remembered grants nothing until they had
 *  time to say so. */
import type { HostId } from "../../schema/ids.ts";
import type { Policy } from "./policy.ts";
import type { Swarm } from "./swarm.ts";
import type { Task } from "./task.ts";
import { type Turn, wakeBy } from "./turn.ts";

/** Waits for these hosts, or for whoever comes: from the first that comes back `recoveryGraceMs`, and no longer than a silent
 *  host counts as online at all. */
export function expectHosts(
  swarm: Swarm,
  task: Task,
  expected: Set<HostId> | undefined,
  policy: Policy,
  nowMs: number,
): void {
  if (expected?.size === 0) return;
  task.recovery = { expected, begun: false, untilMs: nowMs + policy.hostSilentMs };
  swarm.wakeAtMs = Math.min(swarm.wakeAtMs, task.recovery.untilMs);
}

/** A host stated its part: when it was the last that was waited for, work goes on. */
export function expectedBack(turn: Turn, task: Task, hostId: HostId): void {
  const { recovery } = task;
  if (recovery === undefined) return;
  recovery.expected?.delete(hostId);
  if (!recovery.begun) {
    recovery.begun = true;
    recovery.untilMs = turn.nowMs + turn.policy.recoveryGraceMs;
    wakeBy(turn, recovery.untilMs);
  }
  endRecovery(turn, task);
}

/** Ends the wait when it is over. */
export function endRecovery(turn: Turn, task: Task): void {
  const { recovery } = task;
  if (recovery === undefined || (recovery.expected?.size !== 0 && turn.nowMs < recovery.untilMs)) return;
  task.recovery = undefined;
  turn.touched.add(task);
}
