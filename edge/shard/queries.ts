/** The query API over one shard: pages come from the directory, what is in memory overlays them. */

import { countPieces } from "../../schema/bitfield.ts";
import { type HostId, shardOf, type TaskId } from "../../schema/ids.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import type { TaskExplanation } from "../../schema/wire/explain.ts";
import {
  type HostDetail,
  type HostQuery,
  type HostSummary,
  MAX_PAGE_SIZE,
  type Stats,
  type TaskDetail,
  type TaskQuery,
  type TaskSummary,
} from "../../schema/wire/query.ts";
import type { PeerRecord, TaskRecord } from "../core/change.ts";
import { explainTask } from "../core/explain.ts";
import type { Host } from "../core/host.ts";
import type { Policy } from "../core/policy.ts";
import type { Swarm } from "../core/swarm.ts";
import { hostSummary, taskDetail, taskSummary } from "../core/views.ts";
import { type Directory, fitsQuery } from "../store/directory.ts";
import type { TaskShelf } from "./task-shelf.ts";

export interface QueryComponents {
  readonly directory: Directory;
  readonly swarm: Swarm;
  readonly shelf: TaskShelf;
  readonly policy: Policy;
  readonly nowMs: () => number;
}

export async function listTasks(components: QueryComponents, query: TaskQuery): Promise<TaskSummary[]> {
  const { directory, shelf } = components;
  const summaries: TaskSummary[] = [];
  const stored = await directory.tasks(query);
  const page = query.host === undefined ? stored : withLive(components, stored, query, query.host as HostId);
  for (const { info } of page) {
    const task = await shelf.peek(info.taskId);
    if (task !== undefined) summaries.push(taskSummary(task));
  }
  return summaries;
}

export async function showTask({ shelf }: QueryComponents, taskId: TaskId): Promise<TaskDetail | undefined> {
  const task = await shelf.peek(taskId);
  return task === undefined ? undefined : taskDetail(task);
}

export async function showExplanation(
  { shelf, swarm, policy, nowMs }: QueryComponents,
  taskId: TaskId,
): Promise<TaskExplanation | undefined> {
  const task = await shelf.peek(taskId);
  return task === undefined ? undefined : explainTask(swarm, task, policy, nowMs());
}

export async function listHosts(components: QueryComponents, query: HostQuery): Promise<HostSummary[]> {
  const { swarm, nowMs } = components;
  const fitting = [...swarm.hosts.values()].filter((host) => fits(host, query));
  const page = fitting.sort((a, b) => (a.info.hostId < b.info.hostId ? -1 : 1)).slice(0, query.limit);
  const counts = await countTasksOf(components, page);
  return page.map((host) => hostSummary(host, counts.get(host) ?? 0, nowMs()));
}

/** With the first `MAX_PAGE_SIZE` tasks it takes part in, or took part in before it went offline. */
export async function showHost(components: QueryComponents, hostId: HostId): Promise<HostDetail | undefined> {
  const { directory, swarm, nowMs } = components;
  const host = swarm.hosts.get(hostId);
  if (host === undefined) return undefined;
  const rows = new Map((await directory.peersOf(hostId, MAX_PAGE_SIZE)).map((row) => [row.taskId, row]));
  const tasks: HostDetail["tasks"] = [];
  const query = { host: hostId, limit: MAX_PAGE_SIZE };
  for (const { info } of withLive(components, await directory.tasks(query), query, hostId)) {
    const part = partOf(host, info.taskId, rows.get(info.taskId));
    if (part === undefined) continue;
    const pieceCount = pieceCountOf(info.sizeBytes, info.pieceLengthBytes);
    tasks.push({ taskId: info.taskId, url: info.url, ...part, pieceCount });
  }
  return { ...hostSummary(host, (await countTasksOf(components, [host])).get(host) ?? 0, nowMs()), tasks };
}

export async function sumUp(
  { directory, swarm }: QueryComponents,
  counters: Pick<Stats, "messagesIn" | "messagesOut" | "rowsWritten">,
): Promise<Stats> {
  // A host has channels to several shards; its home alone counts it.
  const hosts = [...swarm.hosts.values()].filter((host) => shardOf(host.info.hostId, swarm.shardCount) === swarm.shard);
  let runningPeerCount = 0;
  let leaseCount = 0;
  for (const task of swarm.tasks.values()) {
    runningPeerCount += task.running.size;
    leaseCount += task.leases.size;
  }
  return {
    shardCount: 1,
    hostCount: hosts.length,
    onlineHostCount: hosts.filter((host) => host.presence !== "offline").length,
    taskCount: await directory.countTasks(),
    runningPeerCount,
    leaseCount,
    ...swarm.bytes,
    ...counters,
    tallies: swarm.tallies,
  };
}

function fits({ info, presence }: Host, query: HostQuery): boolean {
  return (
    (query.cursor === undefined || info.hostId > query.cursor) &&
    (query.state === undefined || (query.state === "offline") === (presence === "offline")) &&
    (query.role === undefined || info.role === query.role) &&
    (query.idc === undefined || info.idc === query.idc)
  );
}

/** Tasks of a host: rows of tasks that run are behind, and a host that was forgotten has none. */
function withLive(
  { swarm }: QueryComponents,
  stored: readonly TaskRecord[],
  query: TaskQuery,
  hostId: HostId,
): Pick<TaskRecord, "info">[] {
  const host = swarm.hosts.get(hostId);
  if (host === undefined) return [];
  const tasks = new Map<TaskId, Pick<TaskRecord, "info">>(stored.map((record) => [record.info.taskId, record]));
  for (const taskId of tasks.keys()) {
    if (swarm.tasks.get(taskId)?.peers.get(hostId)?.state === "left") tasks.delete(taskId);
  }
  for (const { task } of host.peers.values()) if (fitsQuery(task, query)) tasks.set(task.info.taskId, task);
  return [...tasks.values()].sort((a, b) => (a.info.taskId < b.info.taskId ? -1 : 1)).slice(0, query.limit);
}

/** A host that said hello to this memory stated its tasks; those whose channels are older are known by their rows, which are all
 *  looked through: once for all of them. */
async function countTasksOf({ directory }: QueryComponents, hosts: readonly Host[]): Promise<Map<Host, number>> {
  const counts = new Map(hosts.map((host) => [host, host.tasks.size]));
  const resumed = new Map(hosts.filter(({ known }) => known === "resumed").map((host) => [host.info.hostId, host]));
  if (resumed.size === 0) return counts;
  for (const host of resumed.values()) counts.set(host, 0);
  for (const { hostId } of await directory.partsOf(new Set(resumed.keys()))) {
    const host = resumed.get(hostId);
    if (host !== undefined) counts.set(host, (counts.get(host) ?? 0) + 1);
  }
  return counts;
}

/** Memory knows best; without it the row does, unless the host began anew since and did not state the task. */
function partOf(host: Host, taskId: TaskId, row: PeerRecord | undefined) {
  const peer = host.peers.get(taskId);
  if (peer !== undefined) return { state: peer.state, heldPieceCount: peer.heldCount };
  const holds = host.presence === "offline" || host.known === "resumed" || host.tasks.has(taskId);
  return row !== undefined && holds ? { state: row.state, heldPieceCount: countPieces(row.bitfield) } : undefined;
}
