/** The JSON query API: what people and scripts ask the scheduler. Every list is paged: `nextCursor` goes into the
 *  next request's `cursor`, and is null on the last page. */
import { z } from "zod";
import { HOST_ID_PATTERN, TASK_ID_PATTERN } from "../ids.ts";
import { HOST_ROLES, hostLoadSchema } from "./host.ts";
import { talliesSchema } from "./tallies.ts";
import { PEER_STATES, TASK_STATES } from "./task.ts";

export const MAX_PAGE_SIZE = 500;
export const DEFAULT_PAGE_SIZE = 100;
export const HOST_STATES = ["online", "offline"] as const;

const limitFault = `must be a whole number from 1 to ${MAX_PAGE_SIZE}`;
// Digits alone: Number() takes 0x2, 1e1 and the empty text too.
const limit = z
  .preprocess(
    (given) => (typeof given === "string" ? (/^\d{1,15}$/.test(given) ? Number(given) : Number.NaN) : given),
    z.int({ error: limitFault }).min(1, limitFault).max(MAX_PAGE_SIZE, limitFault),
  )
  .default(DEFAULT_PAGE_SIZE);

export const taskQuerySchema = z.object({
  limit,
  cursor: z.string().regex(TASK_ID_PATTERN).optional(),
  /** Only tasks this host takes part in. */
  host: z.string().regex(HOST_ID_PATTERN).optional(),
  state: z.enum(TASK_STATES).optional(),
  tag: z.string().max(256).optional(),
  application: z.string().max(256).optional(),
});
export type TaskQuery = z.infer<typeof taskQuerySchema>;

export const hostQuerySchema = z.object({
  limit,
  cursor: z.string().regex(HOST_ID_PATTERN).optional(),
  state: z.enum(HOST_STATES).optional(),
  role: z.enum(HOST_ROLES).optional(),
  idc: z.string().max(256).optional(),
});
export type HostQuery = z.infer<typeof hostQuerySchema>;

export const taskSummarySchema = z.object({
  taskId: z.string(),
  url: z.string(),
  tag: z.string(),
  application: z.string(),
  version: z.string(),
  sizeBytes: z.number(),
  pieceLengthBytes: z.number(),
  pieceCount: z.number(),
  ranged: z.boolean(),
  state: z.enum(TASK_STATES),
  /** Peers that hold at least one piece or want one. */
  peerCount: z.number(),
  /** Peers that hold every piece. */
  completePeerCount: z.number(),
  /** Pieces whose digest is known. */
  knownDigestCount: z.number(),
  /** Bytes all hosts together read from the source, and from each other. */
  sourceBytes: z.number(),
  peerBytes: z.number(),
  createdAtMs: z.number(),
  updatedAtMs: z.number(),
});
export type TaskSummary = z.infer<typeof taskSummarySchema>;

export const taskPeerSchema = z.object({
  hostId: z.string(),
  state: z.enum(PEER_STATES),
  heldPieceCount: z.number(),
  /** Which pieces: base64 of the bitfield, bit 0 of byte 0 is piece 0. */
  bitfield: z.string(),
  leasedPieceCount: z.number(),
  sourceBytes: z.number(),
  peerBytes: z.number(),
  problem: z.object({ code: z.string(), message: z.string() }).nullable(),
  updatedAtMs: z.number(),
});
export type TaskPeer = z.infer<typeof taskPeerSchema>;

export const taskDetailSchema = taskSummarySchema.extend({ peers: z.array(taskPeerSchema) });
export type TaskDetail = z.infer<typeof taskDetailSchema>;

export const hostSummarySchema = z.object({
  hostId: z.string(),
  hostname: z.string(),
  role: z.enum(HOST_ROLES),
  address: z.string(),
  idc: z.string(),
  location: z.string(),
  version: z.string(),
  state: z.enum(HOST_STATES),
  load: hostLoadSchema.nullable(),
  startedAtMs: z.number(),
  lastSeenAtMs: z.number(),
  bannedUntilMs: z.number().nullable(),
  /** Tasks of this host on the shards that were asked. */
  taskCount: z.number(),
});
export type HostSummary = z.infer<typeof hostSummarySchema>;

export const hostDetailSchema = hostSummarySchema.extend({
  tasks: z.array(
    z.object({
      taskId: z.string(),
      url: z.string(),
      state: z.enum(PEER_STATES),
      heldPieceCount: z.number(),
      pieceCount: z.number(),
    }),
  ),
});
export type HostDetail = z.infer<typeof hostDetailSchema>;

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });
export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

export const statsSchema = z.object({
  shardCount: z.number(),
  hostCount: z.number(),
  onlineHostCount: z.number(),
  taskCount: z.number(),
  runningPeerCount: z.number(),
  /** Leases in force. */
  leaseCount: z.number(),
  sourceBytes: z.number(),
  peerBytes: z.number(),
  /** Since this process or object started. */
  messagesIn: z.number(),
  messagesOut: z.number(),
  rowsWritten: z.number(),
  tallies: talliesSchema,
});
export type Stats = z.infer<typeof statsSchema>;

/** `GET /v1/cluster`: what a peer needs before it opens a channel. */
export const clusterSchema = z.object({ protocol: z.number(), shardCount: z.number(), version: z.string() });
export type Cluster = z.infer<typeof clusterSchema>;
