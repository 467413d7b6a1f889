/** A directory that lives as long as its process: for tests and the simulator. */
import type { HostId, TaskId } from "../../schema/ids.ts";
import type { TaskQuery } from "../../schema/wire/query.ts";
import type { Change, DigestChunk, HostRecord, PeerRecord, TaskRecord } from "../core/change.ts";
import type { Directory } from "./directory.ts";

interface Memory {
  readonly hosts: Map<HostId, HostRecord>;
  readonly tasks: Map<TaskId, TaskRecord>;
  readonly peers: Map<TaskId, Map<HostId, PeerRecord>>;
  readonly digests: Map<TaskId, Map<number, DigestChunk>>;
}

export function memoryDirectory(): Directory {
  const memory: Memory = { hosts: new Map(), tasks: new Map(), peers: new Map(), digests: new Map() };
  return {
    hosts: async () => byId(memory.hosts.values(), (host) => host.info.hostId),
    task: async (taskId) => {
      const task = memory.tasks.get(taskId);
      if (task === undefined) return undefined;
      const peers = byId(memory.peers.get(taskId)?.values() ?? [], (peer) => peer.hostId);
      const digests = [...(memory.digests.get(taskId)?.values() ?? [])].sort((a, b) => a.chunk - b.chunk);
      return { task, peers: peers.map(copyPeer), digests: digests.map(copyChunk) };
    },
    tasks: async (query) => {
      const found = [...memory.tasks.values()].filter((task) => fits(memory, task, query));
      return byId(found, (task) => task.info.taskId).slice(0, query.limit);
    },
    peersOf: async (hostId, limit) => {
      const found = [...memory.peers.values()].flatMap((peers) => peers.get(hostId) ?? []);
      const here = found.filter((peer) => peer.state !== "left");
      return byId(here, (peer) => peer.taskId)
        .slice(0, limit)
        .map(copyPeer);
    },
    runningTasks: async () =>
      byId(memory.tasks.values(), (task) => task.info.taskId)
        .filter((task) => task.state === "running")
        .map((task) => task.info.taskId),
    countTasks: async () => memory.tasks.size,
    apply: async (changes) => {
      for (const change of changes) apply(memory, change);
    },
    close: async () => {},
  };
}

function apply(memory: Memory, change: Change): void {
  switch (change.kind) {
    case "put-host":
      memory.hosts.set(change.host.info.hostId, change.host);
      return;
    case "remove-host":
      memory.hosts.delete(change.hostId);
      return;
    case "put-task":
      memory.tasks.set(change.task.info.taskId, change.task);
      return;
    case "remove-task":
      memory.tasks.delete(change.taskId);
      memory.peers.delete(change.taskId);
      memory.digests.delete(change.taskId);
      return;
    case "put-peer":
      within(memory.peers, change.peer.taskId).set(change.peer.hostId, copyPeer(change.peer));
      return;
    case "remove-peer":
      memory.peers.get(change.taskId)?.delete(change.hostId);
      return;
    case "put-digests":
      within(memory.digests, change.chunk.taskId).set(change.chunk.chunk, copyChunk(change.chunk));
      return;
    default:
      change satisfies never;
  }
}

function fits(memory: Memory, task: TaskRecord, query: TaskQuery): boolean {
  const { taskId, tag, application } = task.info;
  if (query.cursor !== undefined && taskId <= query.cursor) return false;
  if (query.state !== undefined && task.state !== query.state) return false;
  if (query.tag !== undefined && tag !== query.tag) return false;
  if (query.application !== undefined && application !== query.application) return false;
  if (query.host === undefined) return true;
  const peer = memory.peers.get(taskId)?.get(query.host as HostId);
  return peer !== undefined && peer.state !== "left";
}

function within<Key, Inner, Value>(outer: Map<Key, Map<Inner, Value>>, key: Key): Map<Inner, Value> {
  const found = outer.get(key);
  if (found !== undefined) return found;
  const created = new Map<Inner, Value>();
  outer.set(key, created);
  return created;
}

function byId<Item>(items: Iterable<Item>, idOf: (item: Item) => string): Item[] {
  return [...items].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
}

// The swarm changes its bitfields in place; what is remembered must not move with them.
function copyPeer(peer: PeerRecord): PeerRecord {
  return { ...peer, bitfield: peer.bitfield.slice() };
}

function copyChunk(chunk: DigestChunk): DigestChunk {
  return { ...chunk, known: chunk.known.slice(), digests: chunk.digests.slice() };
}
