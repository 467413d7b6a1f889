/** What was stored, taken back into memory. Rows say what was; who is there now decides what still holds. */
import { countPieces, isBitfieldOf } from "../../schema/bitfield.ts";
import { DIGESTS_PER_CHUNK } from "../../schema/digest.ts";
import type { HostId } from "../../schema/ids.ts";
import type { DigestChunk, HostRecord, PeerPack, PeerRecord, TaskRecord } from "./change.ts";
import { enterTraders } from "./holdings.ts";
import { createHost, type Host, isBanned } from "./host.ts";
import { createPeer, type Peer } from "./peer.ts";
import { fingerprintOf } from "./peer-packs.ts";
import type { Policy } from "./policy.ts";
import { expectHosts } from "./recovery.ts";
import { keepTask, type Swarm } from "./swarm.ts";
import { createTask, type Task } from "./task.ts";

export interface Remembered {
  readonly task: TaskRecord;
  readonly packs: readonly PeerPack[];
  readonly digests: readonly DigestChunk[];
}

/** A host that was met before; it is offline until it says hello. */
export function restoreHost(swarm: Swarm, { info, lastSeenAtMs, bannedUntilMs }: HostRecord): void {
  swarm.hosts.set(info.hostId, { ...createHost(info, lastSeenAtMs), bannedUntilMs });
}

/** The channel of a host outlived this memory: nothing it said since was missed, so what is stored of it holds.
 *  @returns false when it must state everything anew, because it is unknown or may take part in what runs: the rows of a
 *  running task are behind. */
export function resumeHost(swarm: Swarm, hostId: HostId, nowMs: number): boolean {
  swarm.awoke = true;
  const host = swarm.hosts.get(hostId);
  if (host === undefined || host.presence === "online") return host !== undefined;
  host.known = "awaited";
  const recoveries = [...swarm.tasks.values()].flatMap(({ recovery }) => recovery ?? []);
  // Whoever takes part in what runs has kept its channel, or was gone already.
  for (const recovery of recoveries) recovery.expected = (recovery.expected ?? new Set<HostId>()).add(hostId);
  if (recoveries.length > 0) return false;
  host.known = "resumed";
  host.presence = "online";
  host.via = "channel";
  host.lastSeenAtMs = nowMs;
  if (host.info.role === "seed") swarm.seeds.add(host);
  return true;
}

/** A task as it is now, for looking at; `takeTask` makes it part of the swarm. */
export function restoreTask(swarm: Swarm, { task: record, packs, digests }: Remembered, nowMs: number): Task {
  const task: Task = { ...createTask(record.info, nowMs), ...record, recorded: true };
  for (const { chunk, known, digests: bytes } of digests) {
    if (chunk * DIGESTS_PER_CHUNK < task.pieceCount) task.digests.restore(chunk, known, bytes);
  }
  task.relayedCount = task.digests.logLength;
  for (const { pack, row } of newestRows(packs)) restoreRow(swarm, task, pack, row, nowMs);
  return task;
}

/** Takes a restored task into the swarm. Hosts that had a part in it and may be about to say so are waited for. */
export function takeTask(swarm: Swarm, task: Task, policy: Policy, nowMs: number): void {
  keepTask(swarm, task);
  const peers = [...task.peers.values()];
  for (const peer of peers) if (peer.present) peer.host.peers.set(task.info.taskId, peer);
  const back = peers.filter((peer) => isExpectedBack(swarm, peer, policy, nowMs));
  const expected = task.state === "running" ? undefined : new Set(back.map((peer) => peer.host.info.hostId));
  expectHosts(swarm, task, expected, policy, nowMs);
}

/** Whether a peer that is not present may state in a moment that it still takes part: its host lost its channel just now,
 *  said hello just now, or was there before this memory began and had no time to come back. */
export function isExpectedBack(swarm: Swarm, peer: Peer, policy: Policy, nowMs: number): boolean {
  if (peer.present || peer.state === "left" || peer.state === "failed") return false;
  const { presence, known, restateByMs } = peer.host;
  switch (presence) {
    case "away":
      return true;
    case "online":
      return known !== "resumed" && restateByMs !== undefined;
    case "offline":
      if (known === "awaited") return true;
      return known === "stored" && !swarm.awoke && nowMs < swarm.startedAtMs + policy.hostSilentMs;
  }
}

/** Whether the directory knows all that matters of a task, so that memory can let go of it. */
export function isDroppable(task: Task): boolean {
  if (task.running.size > 0 || task.leases.size > 0 || task.recovery !== undefined) return false;
  if (task.packs.dirty.size > 0) return false;
  for (const peer of task.peers.values()) if (peer.present && !peer.stated) return false;
  return true;
}

export function dropTask(swarm: Swarm, task: Task): void {
  for (const peer of task.peers.values()) peer.host.peers.delete(task.info.taskId);
  if (swarm.tasks.delete(task.info.taskId)) swarm.pieceCount -= task.pieceCount;
}

/** A host that was forgotten and came back may stand in another pack than before: the pack it was in tells of it until it is
 *  written again. */
function newestRows(packs: readonly PeerPack[]): Iterable<{ readonly pack: number; readonly row: PeerRecord }> {
  const newest = new Map<HostId, { readonly pack: number; readonly row: PeerRecord }>();
  for (const { pack, peers } of packs) {
    for (const row of peers) {
      const other = newest.get(row.hostId)?.row;
      if (other === undefined || other.updatedAtMs <= row.updatedAtMs) newest.set(row.hostId, { pack, row });
    }
  }
  return newest.values();
}

function restoreRow(swarm: Swarm, task: Task, pack: number, row: PeerRecord, nowMs: number): void {
  const host = swarm.hosts.get(row.hostId);
  if (host === undefined) {
    task.pastBytes.sourceBytes += row.sourceBytes;
    task.pastBytes.peerBytes += row.peerBytes;
    return;
  }
  const peer = restorePeer(task, host, row, nowMs);
  peer.pack = pack;
  task.packs.restore(pack);
  task.peers.set(row.hostId, peer);
}

function restorePeer(task: Task, host: Host, row: PeerRecord, nowMs: number): Peer {
  const peer = createPeer(task, host, row.updatedAtMs);
  peer.state = row.state;
  peer.bytes.sourceBytes = row.sourceBytes;
  peer.bytes.peerBytes = row.peerBytes;
  peer.problem = row.problem;
  // One that failed so by itself still offers what it read before.
  peer.foreign = row.state === "failed" && row.problem?.code === "source-changed" && row.bitfield.length === 0;
  peer.recorded = fingerprintOf(row);
  // A host that lives since before the row was written goes on counting where it says.
  if (row.updatedAtMs >= host.info.startedAtMs) Object.assign(peer.reported, peer.bytes);
  else peer.reportedLife = 0;
  if (!stillHolds(task, host, row)) return peer;
  peer.present = true;
  peer.stated = true;
  peer.bitfield = row.bitfield.slice();
  peer.heldCount = countPieces(peer.bitfield);
  if (!isBanned(host, nowMs)) enterTraders(peer);
  return peer;
}

/** Rows of a task that nobody wanted are exact, as long as the host did not begin anew since. */
function stillHolds(task: Task, host: Host, row: PeerRecord): boolean {
  if (task.state === "running" || row.state === "running" || row.state === "left") return false;
  if (!isBitfieldOf(row.bitfield, task.pieceCount)) return false;
  return host.presence === "online" && (host.known === "resumed" || host.tasks.has(task.info.taskId));
}
