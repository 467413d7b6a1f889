/** Which seeds a task is pulled to, and whether the others wait for one. */
import type { HostId, TaskId } from "../../schema/ids.ts";
import { type Host, isBanned } from "./host.ts";
import { isComplete, type Peer } from "./peer.ts";
import type { Task } from "./task.ts";
import type { Turn } from "./turn.ts";

/** The seeds of this task, best first: the same few for every child, whoever asks and when (highest random weight), so
 *  that seeds share the tasks of a cluster and one that comes or goes moves few of them. */
export function seedsOf(turn: Turn, task: Task): Host[] {
  return [...turn.swarm.seeds]
    .filter((seed) => !isBanned(seed, turn.nowMs))
    .map((seed) => ({ seed, weight: weightOf(task.info.taskId, seed.info.hostId) }))
    .sort((a, b) => b.weight - a.weight || (a.seed.info.hostId < b.seed.info.hostId ? -1 : 1))
    .slice(0, turn.policy.seedsPerTask)
    .map(({ seed }) => seed);
}

/** Whether it would help to tell this seed where the source is. */
export function needsPull(turn: Turn, task: Task, seed: Host): boolean {
  const peer = task.peers.get(seed.info.hostId);
  if (peer === undefined) return true;
  if (turn.nowMs < peer.leaseBackoffUntilMs) return false;
  return !peer.present || !(peer.state === "running" || isComplete(peer));
}

/** Running peers that were told to pull the task to this seed. */
export function pullersOf(task: Task, seedId: HostId): Peer[] {
  return [...task.running].filter((peer) => peer.pulls.has(seedId));
}

/** Whether a seed that somebody was told to pull may still come in time. */
export function waitsForSeed(turn: Turn, task: Task): boolean {
  if (turn.nowMs >= task.seedGraceUntilMs) return false;
  return seedsOf(turn, task).some(
    (seed) => needsPull(turn, task, seed) && pullersOf(task, seed.info.hostId).length > 0,
  );
}

/** 32 well-mixed bits of both ids: FNV-1a, then the finaliser of MurmurHash3. */
function weightOf(taskId: TaskId, hostId: HostId): number {
  let hash = 0x811c9dc5;
  for (const char of `${taskId}/${hostId}`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
