/** What follows for a task from whatever happened to it: done once, at the end of a turn. */
import { MAX_NEIGHBOURS } from "../../schema/wire/scheduler-message.ts";
import type { TaskState } from "../../schema/wire/task.ts";
import { grantCutOff } from "./cut-off.ts";
import { flushDigests, relayDigests } from "./digests.ts";
import { grantLeases } from "./grant-leases.ts";
import { refuseCutOff, refuseHopeless, refuseSilent } from "./hopeless.ts";
import { replaceLost } from "./neighbours.ts";
import { isComplete, type Peer } from "./peer.ts";
import { flushPeers } from "./peer-packs.ts";
import { endRecovery } from "./recovery.ts";
import type { Task } from "./task.ts";
import { type Notes, type Outcome, send, type Turn } from "./turn.ts";

export function endTurn(turn: Turn): Outcome {
  for (const peer of turn.bereaved) if (peer.task.running.has(peer)) replaceLost(turn, peer);
  for (const task of turn.touched) settle(turn, task);
  for (const [peer, notes] of turn.notes) tell(turn, peer, notes);
  return { changes: turn.changes, outgoing: turn.outgoing };
}

/** `running`: some peer wants it; `succeeded`: an online host holds all; `failed`: every peer failed; `idle`. */
export function taskStateOf(task: Task): TaskState {
  if (task.running.size > 0) return "running";
  for (const peer of task.traders) if (isComplete(peer)) return "succeeded";
  const present = [...task.peers.values()].filter((peer) => peer.present);
  return present.length > 0 && present.every((peer) => peer.state === "failed") ? "failed" : "idle";
}

function settle(turn: Turn, task: Task): void {
  endRecovery(turn, task);
  grantLeases(turn, task);
  grantCutOff(turn, task);
  refuseHopeless(turn, task);
  refuseCutOff(turn, task);
  refuseSilent(turn, task);
  relayDigests(turn, task);
  flushDigests(turn, task);
  if (task.recovery === undefined || !task.recorded) recordState(turn, task);
  flushPeers(turn, task);
}

function recordState(turn: Turn, task: Task): void {
  const state = taskStateOf(task);
  if (task.recorded && state === task.state) return;
  task.state = state;
  task.updatedAtMs = turn.nowMs;
  task.recorded = true;
  const { info, createdAtMs, updatedAtMs } = task;
  turn.changes.push({ kind: "put-task", task: { info, state, createdAtMs, updatedAtMs } });
}

function tell(turn: Turn, peer: Peer, { neighbours, granted, revoked, shortened }: Notes): void {
  const { taskId } = peer.task.info;
  const words = [...neighbours];
  for (let at = 0; at < words.length; at += MAX_NEIGHBOURS) {
    const some = words.slice(at, at + MAX_NEIGHBOURS);
    const add = some.flatMap(([, word]) => (word === "removed" ? [] : [word]));
    const remove = some.flatMap(([hostId, word]) => (word === "removed" ? [hostId] : []));
    send(turn, peer.host, { type: "neighbours", taskId, add, remove });
  }
  if (granted.length === 0 && revoked.size === 0 && shortened.size === 0) return;
  send(turn, peer.host, {
    type: "leases",
    taskId,
    granted: granted.map(({ leaseId, firstPiece, pieceCount, ttlMs }) => ({ leaseId, firstPiece, pieceCount, ttlMs })),
    revoked: [...revoked],
    ...(shortened.size > 0
      ? { shortened: [...shortened].map(([leaseId, pieceCount]) => ({ leaseId, pieceCount })) }
      : {}),
  });
}
