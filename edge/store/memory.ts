/** A directory that lives as long as its process: for tests and the simulator. */
import type { HostId, TaskId } from "../../schema/ids.ts";
import type { TaskQuery } from "../../schema/wire/query.ts";
import type { Change, DigestChunk, HostRecord, PeerPack, PeerRecord, TaskRecord } from "../core/change.ts";
import { type Directory, fitsQuery } from "./directory.ts";

interface Memory {
  readonly hosts: Map<HostId, HostRecord>;
  readonly tasks: Map<TaskId, TaskRecord>;
  readonly packs: Map<TaskId, Map<number, PeerPack>>;
  readonly digests: Map<TaskId, Map<number, DigestChunk>>;
}

export function memoryDirectory(): Directory {
  const memory: Memory = { hosts: new Map(), tasks: new Map(), packs: new Map(), digests: new Map() };
  return {
    hosts: async () => byId(memory.hosts.values(), (host) => host.info.hostId),
    task: async (taskId) => {
      const task = memory.tasks.get(taskId);
      if (task === undefined) return undefined;
      const packs = [...(memory.packs.get(taskId)?.values() ?? [])].sort((a, b) => a.pack - b.pack);
      const digests = [...(memory.digests.get(taskId)?.values() ?? [])].sort((a, b) => a.chunk - b.chunk);
      return { task, packs: packs.map(copyPack), digests: digests.map(copyChunk) };
    },
    tasks: async (query) => {
      const found = [...memory.tasks.values()].filter((task) => fits(memory, task, query));
      return byId(found, (task) => task.info.taskId).slice(0, query.limit);
    },
    peersOf: async (hostId, limit) => {
      const here = presentPeers(memory).filter((peer) => peer.hostId === hostId);
      return byId(here, (peer) => peer.taskId)
        .slice(0, limit)
        .map(copyPeer);
    },
    partsOf: async (hostIds) =>
      presentPeers(memory)
        .filter((peer) => hostIds.has(peer.hostId))
        .map(({ taskId, hostId }) => ({ taskId, hostId })),
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
      memory.packs.delete(change.taskId);
      memory.digests.delete(change.taskId);
      return;
    case "put-peers":
      within(memory.packs, change.pack.taskId).set(change.pack.pack, copyPack(change.pack));
      return;
    case "put-digests":
      within(memory.digests, change.chunk.taskId).set(change.chunk.chunk, copyChunk(change.chunk));
      return;
    default:
      change satisfies never;
  }
}

function fits(memory: Memory, task: TaskRecord, query: TaskQuery): boolean {
  if (!fitsQuery(task, query)) return false;
  const { taskId } = task.info;
  return (
    query.host === undefined ||
    presentPeers(memory).some((peer) => peer.taskId === taskId && peer.hostId === query.host)
  );
}

function presentPeers({ packs }: Memory): PeerRecord[] {
  const all = [...packs.values()].flatMap((ofTask) => [...ofTask.values()].flatMap(({ peers }) => peers));
  return all.filter((peer) => peer.state !== "left");
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

function copyPack({ peers, ...pack }: PeerPack): PeerPack {
  return { ...pack, peers: peers.map(copyPeer) };
}

function copyChunk(chunk: DigestChunk): DigestChunk {
  return { ...chunk, known: chunk.known.slice(), digests: chunk.digests.slice() };
}
