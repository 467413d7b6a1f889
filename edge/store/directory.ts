/** The port to what one shard remembers across a restart. The swarm in memory is ahead of it; peers restate the rest. */
import type { HostId, TaskId } from "../../schema/ids.ts";
import { isProblemError } from "../../schema/problem.ts";
import type { TaskQuery } from "../../schema/wire/query.ts";
import type { Change, DigestChunk, HostRecord, PeerPack, PeerRecord, TaskRecord } from "../core/change.ts";

/** One task with everything that belongs to it. */
export interface StoredTask {
  readonly task: TaskRecord;
  readonly packs: readonly PeerPack[];
  readonly digests: readonly DigestChunk[];
}

/** A host has a part in a task. */
export interface PartOf {
  readonly taskId: TaskId;
  readonly hostId: HostId;
}

/** Whether a task fits every filter of a query but that for its hosts. */
export function fitsQuery({ info, state }: Pick<TaskRecord, "info" | "state">, query: TaskQuery): boolean {
  return (
    (query.cursor === undefined || info.taskId > query.cursor) &&
    (query.state === undefined || state === query.state) &&
    (query.tag === undefined || info.tag === query.tag) &&
    (query.application === undefined || info.application === query.application)
  );
}

/** Whether a directory failed because its database is down. It reports that itself, once an outage. */
export function isOutage(error: unknown): boolean {
  return isProblemError(error) && error.code === "database-unreachable";
}

export interface Directory {
  /** Every host this shard has met, by id. A shard has thousands at most, so they are read whole at start. */
  hosts(): Promise<HostRecord[]>;

  /** A task with its peers and digests, those by the number of their row, or `undefined`. */
  task(taskId: TaskId): Promise<StoredTask | undefined>;

  /** Tasks after `query.cursor` in the order of their ids, at most `query.limit`, that fit every filter of the query.
   *  With `host`: tasks in which that host has a peer whose state is not `left`. */
  tasks(query: TaskQuery): Promise<TaskRecord[]>;

  /** Peers of one host whose state is not `left`, at most `limit`, by task id. */
  peersOf(hostId: HostId, limit: number): Promise<PeerRecord[]>;

  /** Where these hosts have peers whose state is not `left`: one look through all tasks, however many hosts are asked for. */
  partsOf(hostIds: ReadonlySet<HostId>): Promise<PartOf[]>;

  /** Ids of tasks whose state is `running`: those a shard takes back into memory after a restart. */
  runningTasks(): Promise<TaskId[]>;

  countTasks(): Promise<number>;

  /** Applies all changes or none, in order. An empty list does nothing. */
  apply(changes: readonly Change[]): Promise<void>;

  close(): Promise<void>;
}
