/** Branded identifiers. A plain string becomes one only through its `parse` function, so a name that holds a path,
 *  a quote or a control character never gets further than the border it came in by. */

/** 64 lower-case hex digits: SHA-256 of a task's identity, see `task-id.ts`. */
export type TaskId = string & { readonly __brand: "TaskId" };
/** 32 lower-case hex digits, drawn once by a host and kept in its data folder. */
export type HostId = string & { readonly __brand: "HostId" };
/** Names one grant of the right to read the source; unique within a task. */
export type LeaseId = string & { readonly __brand: "LeaseId" };

export const TASK_ID_PATTERN = /^[0-9a-f]{64}$/;
export const HOST_ID_PATTERN = /^[0-9a-f]{32}$/;
export const LEASE_ID_PATTERN = /^[0-9a-z-]{1,64}$/;

export function parseTaskId(text: string): TaskId | undefined {
  return TASK_ID_PATTERN.test(text) ? (text as TaskId) : undefined;
}

export function parseHostId(text: string): HostId | undefined {
  return HOST_ID_PATTERN.test(text) ? (text as HostId) : undefined;
}

/** The shard that owns a task or is home to a host: the first 32 bits of the id, modulo the number of shards.
 *  Both ids are uniformly distributed hex, so no further hashing is needed. */
export function shardOf(id: TaskId | HostId, shardCount: number): number {
  return Number.parseInt(id.slice(0, 8), 16) % shardCount;
}
