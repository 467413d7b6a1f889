/** In which rows the peers of a task are written: many to a row, for a row costs the same whatever is in it. A task that runs
 *  has rows that are behind, as its own row says, and hosts state the rest after a restart; the rows of any other are exact. */
import { bitfieldBytes } from "../../schema/bitfield.ts";
import type { Change, PeerRecord } from "./change.ts";
import { hashOf } from "./holdings.ts";
import type { Peer } from "./peer.ts";
import type { Task } from "./task.ts";
import type { Turn } from "./turn.ts";

/** Content of a row at most: written whole whenever one of its peers changes. A single peer may take more, 128 KiB at most. */
const PACK_BYTES = 64 * 1024;
/** What a peer takes there besides its bitfield. */
const PEER_BYTES = 256;

/** Peers of a task with so many pieces that share a row. */
export function peersPerPack(pieceCount: number): number {
  return Math.max(1, Math.floor(PACK_BYTES / (PEER_BYTES + bitfieldBytes(pieceCount))));
}

type Recorded = Omit<PeerRecord, "taskId" | "hostId" | "updatedAtMs">;

export class PeerPacks {
  readonly #room: number;
  /** Peers in each pack. */
  readonly #sizes: number[] = [];
  /** Packs that changed since they were written. */
  readonly dirty = new Set<number>();
  /** Since when there are any. */
  dirtySinceMs = 0;

  constructor(pieceCount: number) {
    this.#room = peersPerPack(pieceCount);
  }

  /** The first pack with room, for one more peer. */
  enter(): number {
    const found = this.#sizes.findIndex((size) => size < this.#room);
    const pack = found < 0 ? this.#sizes.length : found;
    this.restore(pack);
    return pack;
  }

  /** One more peer was found in this pack. */
  restore(pack: number): void {
    while (this.#sizes.length <= pack) this.#sizes.push(0);
    this.#sizes[pack] = (this.#sizes[pack] ?? 0) + 1;
  }

  /** A peer of this pack is known no more; its row says so when it is written next. */
  leave(pack: number): void {
    this.#sizes[pack] = (this.#sizes[pack] ?? 0) - 1;
  }
}

/** Has the row of a peer written when it says something else. What a running peer gets is not written: it is about to change,
 *  and the host states it after a restart. */
export function recordPeer(turn: Turn, peer: Peer): void {
  notePeer(peer, turn.nowMs);
  turn.touched.add(peer.task);
}

/** It holds nothing there any more, and was not present to say so. */
export function leaveBehind(peer: Peer, nowMs: number): void {
  if (peer.present || peer.state === "failed" || peer.state === "left") return;
  peer.state = "left";
  peer.updatedAtMs = nowMs;
  notePeer(peer, nowMs);
}

/** Writes what changed: at once, so that rows are exact, unless the task is known to run. */
export function flushPeers(turn: Turn, task: Task): void {
  const { dirty, dirtySinceMs } = task.packs;
  if (dirty.size === 0) return;
  if (task.state === "running" && turn.nowMs < dirtySinceMs + turn.policy.peersWriteMs) return;
  turn.changes.push(...takeDirtyPacks(task));
}

/** Rows that changed since they were taken last. */
export function takeDirtyPacks({ info: { taskId }, peers, packs: { dirty } }: Task): Change[] {
  const packs = new Map<number, PeerRecord[]>([...dirty].map((pack) => [pack, []]));
  for (const peer of peers.values()) {
    const pack = peer.pack === undefined ? undefined : packs.get(peer.pack);
    if (pack === undefined) continue;
    const record = recordOf(peer);
    peer.recorded = fingerprintOf(record);
    pack.push(record);
  }
  dirty.clear();
  return [...packs].map(([pack, records]) => ({ kind: "put-peers", pack: { taskId, pack, peers: records } }));
}

/** Tells two records of a peer apart well enough to save a row. */
export function fingerprintOf({ state, bitfield, sourceBytes, peerBytes, problem }: Recorded): string {
  return [state, hashOf(bitfield), sourceBytes, peerBytes, problem?.code, problem?.message].join(" ");
}

function notePeer(peer: Peer, nowMs: number): void {
  const { state, bitfield, bytes, problem, recorded } = peer;
  const { sourceBytes, peerBytes } = bytes;
  if (state === "running" || fingerprintOf({ state, bitfield, sourceBytes, peerBytes, problem }) === recorded) return;
  const { packs } = peer.task;
  peer.pack ??= packs.enter();
  if (packs.dirty.size === 0) packs.dirtySinceMs = nowMs;
  packs.dirty.add(peer.pack);
}

function recordOf({ task, host, state, bitfield, bytes, problem, updatedAtMs }: Peer): PeerRecord {
  const ids = { taskId: task.info.taskId, hostId: host.info.hostId };
  return { ...ids, state, bitfield: bitfield.slice(), ...bytes, problem, updatedAtMs };
}
