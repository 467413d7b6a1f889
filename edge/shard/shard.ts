/** The port to one shard, as HTTP routes see it: an object in the same process on Bun, a Durable Object stub (whose RPC
 *  methods these are) on Workers. */
import type { TaskExplanation } from "../../schema/wire/explain.ts";
import type {
  HostDetail,
  HostQuery,
  HostSummary,
  Stats,
  TaskDetail,
  TaskQuery,
  TaskSummary,
} from "../../schema/wire/query.ts";

export interface Shard {
  /** Handles one POSTed frame; gives the frame of everything waiting for that host.
   *  @throws ProblemError `bad-message`, `body-too-large`, `protocol-mismatch`. Over RPC an error keeps its name and
   *  fields and loses its methods: recognise it with `isProblemError`. */
  exchange(frame: Uint8Array): Promise<Uint8Array>;

  /** Items after the cursor, at most `query.limit`, ordered by id. */
  tasks(query: TaskQuery): Promise<TaskSummary[]>;
  task(taskId: string): Promise<TaskDetail | undefined>;
  /** Why its source is read by whom now. */
  explain(taskId: string): Promise<TaskExplanation | undefined>;
  hosts(query: HostQuery): Promise<HostSummary[]>;
  host(hostId: string): Promise<HostDetail | undefined>;
  /** `shardCount` is 1 here; the routes add shards up. */
  stats(): Promise<Stats>;
}

/** A live connection of one host, as the shard writes to it. */
export interface Channel {
  /** Queues one frame; drops it when the connection is gone. */
  send(frame: Uint8Array): void;
  /** 1008: the frame was broken, 1009: too long, 1012: the service restarts, 4001: replaced by a newer channel. */
  close(code: number, reason: string): void;
}
