/** What a decision writes: plain data, applied to the swarm in memory and to the directory on disk. */
import type { HostId, TaskId } from "../../schema/ids.ts";
import type { HostInfo } from "../../schema/wire/host.ts";
import type { PeerState, TaskInfo, TaskState } from "../../schema/wire/task.ts";

/** A host as it is remembered. */
export interface HostRecord {
  readonly info: HostInfo;
  readonly lastSeenAtMs: number;
  readonly bannedUntilMs: number | null;
}

export interface TaskRecord {
  readonly info: TaskInfo;
  readonly state: TaskState;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface PeerRecord {
  readonly taskId: TaskId;
  readonly hostId: HostId;
  readonly state: PeerState;
  readonly bitfield: Uint8Array;
  readonly sourceBytes: number;
  readonly peerBytes: number;
  readonly problem: { readonly code: string; readonly message: string } | null;
  readonly updatedAtMs: number;
}

/** Some peers of one task, in one row. */
export interface PeerPack {
  readonly taskId: TaskId;
  /** From 0 within the task. */
  readonly pack: number;
  readonly peers: readonly PeerRecord[];
}

/** `DIGESTS_PER_CHUNK` piece digests (32 bytes each; zeros where unknown) and which of them are known. */
export interface DigestChunk {
  readonly taskId: TaskId;
  readonly chunk: number;
  readonly known: Uint8Array;
  readonly digests: Uint8Array;
}

/** Each is one row written or deleted (a removed task takes its peers and digests with it). */
export type Change =
  | { readonly kind: "put-host"; readonly host: HostRecord }
  | { readonly kind: "remove-host"; readonly hostId: HostId }
  | { readonly kind: "put-task"; readonly task: TaskRecord }
  | { readonly kind: "remove-task"; readonly taskId: TaskId }
  | { readonly kind: "put-peers"; readonly pack: PeerPack }
  | { readonly kind: "put-digests"; readonly chunk: DigestChunk };
