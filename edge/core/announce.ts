/** A host opens, offers or restates its part in a task. */
import { isBitfieldOf } from "../../schema/bitfield.ts";
import type { TaskId } from "../../schema/ids.ts";
import type { ProblemCode } from "../../schema/problem.ts";
import type { PeerMessageOf } from "../../schema/wire/peer-message.ts";
import type { TallyReason } from "../../schema/wire/tallies.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import { noteCursors } from "./cursors.ts";
import { lacksDigestsOf, tellAllDigests } from "./digests.ts";
import { replaceHoldings } from "./holdings.ts";
import type { Host } from "./host.ts";
import { adoptLeases, revokeLeases } from "./leases.ts";
import { tellAllNeighbours } from "./links.ts";
import { callSeeds, meet, meetPullers } from "./neighbours.ts";
import { createPeer, type Peer } from "./peer.ts";
import { recordPeer } from "./peer-packs.ts";
import { expectedBack } from "./recovery.ts";
import { enter, setState, stateOf } from "./standing.ts";
import { keepTask } from "./swarm.ts";
import { createTask, type Task } from "./task.ts";
import { send, type Turn } from "./turn.ts";

type Announce = PeerMessageOf<"announce">;

/** Says what there is to say about the task once more: a host that announces again may have lost it. Digests are many, and
 *  cannot get lost without a new hello. */
export function announce(turn: Turn, host: Host, message: Announce): void {
  const task = turn.swarm.tasks.get(message.task.taskId) ?? createTask(message.task, turn.nowMs);
  const problem = problemWith(turn, host, task, message);
  if (problem !== undefined) {
    turn.swarm.tallies.announcementsRefused[problem.code]++;
    refuse(turn, host, message.task.taskId, problem.code, problem.message);
    return;
  }
  keepTask(turn.swarm, task);
  task.touchedAtMs = turn.nowMs;
  const peer = partOf(turn, host, task);
  takeStatement(turn, peer, message);
  expectedBack(turn, task, host.info.hostId);

  send(turn, host, { type: "task", taskId: task.info.taskId, digestsWanted: lacksDigestsOf(peer) });
  if (peer.state === "running") {
    if (!peer.hearsDigests) tellAllDigests(turn, peer);
    tellAllNeighbours(turn, peer);
  }
  meet(turn, peer);
  if (peer.state === "running") {
    if (host.info.role === "seed") meetPullers(turn, peer);
    else callSeeds(turn, peer);
  }
  recordPeer(turn, peer);
}

export function refuse(turn: Turn, host: Host, taskId: TaskId, code: ProblemCode, message: string): void {
  send(turn, host, { type: "refused", taskId, code, message });
}

function takeStatement(turn: Turn, peer: Peer, message: Announce): void {
  const { task, host } = peer;
  const firstSinceHello = !peer.stated;
  const begins = message.wanting && !task.running.has(peer);
  enter(turn, peer);
  host.tasks.add(task.info.taskId);
  peer.stated = true;
  peer.quietMs = 0;
  peer.foreign = false;
  replaceHoldings(peer, message.have, turn.nowMs);
  if (begins) beginRunning(turn, peer);
  setState(turn, peer, stateOf(peer, message.wanting));
  noteCursors(peer, peer.state === "running" ? (message.cursors ?? []) : []);
  adoptLeases(turn, peer, message.leases);
  // Later announcements may cross a grant on its way down: what they do not name is left to its time to live.
  if (firstSinceHello) revokeLeases(turn, peer, new Set(message.leases.map((lease) => lease.leaseId)));
}

/** A new attempt: what went wrong before does not count. */
function beginRunning(turn: Turn, peer: Peer): void {
  const { task } = peer;
  peer.problem = null;
  peer.beganAtMs = turn.nowMs;
  peer.beganHeldCount = peer.heldCount;
  peer.movedAtMs = turn.nowMs;
  peer.avoid.clear();
  task.wary.delete(peer);
  peer.cutOff = false;
  peer.patienceMs = 0;
  peer.leaseBackoffUntilMs = 0;
  peer.sourceFailed = false;
  peer.refused = false;
  peer.hearsDigests = false;
  if (task.running.size > 0) return;
  task.seedHelp = "none";
  if (peer.host.info.role === "seed") return;
  task.seedGraceUntilMs = turn.nowMs + turn.policy.seedGraceMs;
}

function partOf(turn: Turn, host: Host, task: Task): Peer {
  const found = task.peers.get(host.info.hostId);
  if (found !== undefined) return found;
  const created = createPeer(task, host, turn.nowMs);
  task.peers.set(host.info.hostId, created);
  return created;
}

function problemWith(
  turn: Turn,
  host: Host,
  task: Task,
  { task: info, have }: Announce,
): { code: TallyReason<"announcementsRefused">; message: string } | undefined {
  if (!isSameContent(task.info, info)) {
    const { sizeBytes, pieceLengthBytes } = task.info;
    const message = `This task has ${sizeBytes} bytes in pieces of ${pieceLengthBytes}; this host states ${info.sizeBytes} in pieces of ${info.pieceLengthBytes}: run the same version of Pantala everywhere`;
    return { code: "task-mismatch", message };
  }
  if (!isBitfieldOf(have, task.pieceCount)) {
    const message = `The bitfield of ${have.length} bytes does not fit a task of ${task.pieceCount} pieces`;
    return { code: "bad-message", message };
  }
  if (task.peers.get(host.info.hostId)?.foreign && have.some((byte) => byte !== 0)) {
    const message = `What this host has of ${task.info.url.slice(0, 512)} is different from what the others have: remove it there (pantala task rm ${info.taskId}), and ask again`;
    return { code: "source-changed", message };
  }
  if (host.tasks.size >= turn.policy.maxTasksPerHost && !host.tasks.has(info.taskId)) {
    const message = `This host takes part in ${host.tasks.size} tasks of one shard already: remove some, or raise maxTasksPerHost`;
    return { code: "too-many-requests", message };
  }
  if (!turn.swarm.tasks.has(info.taskId) && turn.swarm.pieceCount + task.pieceCount > turn.policy.maxPieces) {
    const message = `The tasks of this shard have ${turn.swarm.pieceCount} pieces, too many for one of ${task.pieceCount} more: ask again later, use longer pieces, or more shards`;
    return { code: "too-many-requests", message };
  }
  return undefined;
}

function isSameContent(a: TaskInfo, b: TaskInfo): boolean {
  return a.sizeBytes === b.sizeBytes && a.pieceLengthBytes === b.pieceLengthBytes;
}
