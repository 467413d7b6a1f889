/** The local API: what `pantala` commands ask the peer on the same machine over its unix socket, in JSON. */
import { z } from "zod";
import { problemSchema } from "../problem.ts";
import { hostInfoSchema, hostLoadSchema } from "./host.ts";
import { sourceRequestSchema } from "./pull.ts";

const MAX_TIMEOUT_MS = 24 * 86_400_000;

/** `POST /v1/get`. The reply is a stream of JSON lines, one `GetEvent` each; closing it cancels the request. */
export const getRequestSchema = z.object({
  source: sourceRequestSchema,
  /** `algorithm:hex` the whole content must have. */
  digest: z.string().max(200).optional(),
  /** 0: no limit. Longer ones than 24 d do not fit a timer. */
  timeoutMs: z.int().min(0).max(MAX_TIMEOUT_MS).default(0),
  /** Who asks, for the peer's log: `get`, `torchserve`, `triton`. */
  component: z
    .string()
    .regex(/^[a-z][a-z-]{0,31}$/, "must be a word")
    .default("get"),
  /** Names the request in logs, as the trace-id of a W3C `traceparent`; the peer draws one otherwise. */
  trace: z
    .string()
    .regex(/^[0-9a-f]{32}$/, "must be 32 hex digits")
    .optional(),
});
export type GetRequest = z.input<typeof getRequestSchema>;

/** `POST /v1/content`: the content itself, in order, as it comes. A `Range` header asks for a part of it. */
export const contentRequestSchema = getRequestSchema.omit({ digest: true, component: true, trace: true });
/** How many bytes the reply will have: one that ends before is broken. */
export const CONTENT_BYTES_HEADER = "x-pantala-content-bytes";
export type ContentRequest = z.input<typeof contentRequestSchema>;

const bytesBySource = {
  /** Verified bytes so far by where they came from; their sum is how much of the task is here. */
  sourceBytes: z.number(),
  peerBytes: z.number(),
  localBytes: z.number(),
};

export const getEventSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("opened"),
    taskId: z.string(),
    url: z.string(),
    sizeBytes: z.number(),
    pieceLengthBytes: z.number(),
    pieceCount: z.number(),
  }),
  z.object({
    type: z.literal("progress"),
    ...bytesBySource,
    /** Hosts that serve us now. */
    parentCount: z.number(),
    /** Why nothing moved for a while, or null. */
    stall: z.string().nullable(),
  }),
  /** The content lies complete and verified at `path` and stays there while this stream is open. */
  z.object({ type: z.literal("ready"), path: z.string(), ...bytesBySource, elapsedMs: z.number() }),
  z.object({ type: z.literal("failed"), problem: problemSchema }),
]);
export type GetEvent = z.infer<typeof getEventSchema>;

/** Why a parent did not serve this host: docs/operations.md, "Why it waits". */
export const PARENT_FAILURES = ["busy", "share", "missing", "refused", "unreachable", "gone"] as const;

/** Second requests for pieces that were late: how many began, how many of them brought the piece first, and what came twice. */
export const hedgesSchema = z.object({ asked: z.number(), won: z.number(), doubleBytes: z.number() });
export type Hedges = z.infer<typeof hedgesSchema>;

export const awaitedPieceSchema = z.object({ piece: z.number(), ageMs: z.number(), hostIds: z.array(z.string()) });
export type AwaitedPiece = z.infer<typeof awaitedPieceSchema>;

export const localTaskSchema = z.object({
  taskId: z.string(),
  url: z.string(),
  tag: z.string(),
  application: z.string(),
  version: z.string(),
  sizeBytes: z.number(),
  pieceLengthBytes: z.number(),
  pieceCount: z.number(),
  heldPieceCount: z.number(),
  state: z.enum(["running", "complete", "partial"]),
  createdAtMs: z.number(),
  completedAtMs: z.number().nullable(),
  lastUsedAtMs: z.number(),
  /** It is not evicted: `PUT` and `DELETE /v1/tasks/:id/pin`. */
  pinned: z.boolean(),
});
export type LocalTask = z.infer<typeof localTaskSchema>;

/** `GET /v1/tasks/:id`: the task, and what a running download is doing. */
export const localTaskDetailSchema = localTaskSchema.extend({
  path: z.string(),
  neighbours: z.array(
    z.object({
      hostId: z.string(),
      address: z.string(),
      role: z.string(),
      heldPieceCount: z.number(),
      receivedBytes: z.number(),
      activeRequests: z.number(),
      /** What it is to this download now, and how long it is left alone still. */
      standing: z.enum(["asked", ...PARENT_FAILURES, "unheard", "nothing-new", "ready"]),
      restMs: z.number(),
      /** How often it did not serve since it is a neighbour, by why. */
      failures: z.record(z.enum(PARENT_FAILURES), z.number()),
    }),
  ),
  /** What this host reads from the source. */
  leases: z.array(
    z.object({ leaseId: z.string(), firstPiece: z.number(), pieceCount: z.number(), readBytes: z.number() }),
  ),
  leasedPieceCount: z.number(),
  /** Pieces that were asked for and have not come, the oldest first: one that is asked of two hosts was late. */
  awaited: z.array(awaitedPieceSchema),
  /** Of this download. */
  hedges: hedgesSchema,
  sourceBytes: z.number(),
  peerBytes: z.number(),
  stall: z.string().nullable(),
});
export type LocalTaskDetail = z.infer<typeof localTaskDetailSchema>;

/** Why a neighbour is given up: docs/operations.md, "Refusals". */
export const LOSS_REASONS = ["corrupt", "gone", "unreachable", "owing", "refused", "missing"] as const;
export type LossReason = (typeof LOSS_REASONS)[number];

/** Why a request of another peer was not served: docs/operations.md, "Refusals". */
export const REFUSAL_REASONS = [
  "slots",
  "share",
  "no-ticket",
  "bad-ticket",
  "unknown-task",
  "piece-absent",
  "bad-range",
  "bad-request",
  "waits-full",
  "no-seed",
  "pulls-full",
  "pull-failed",
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export const receivedBytesSchema = z.object({ source: z.number(), peers: z.number(), local: z.number() });
export type ReceivedBytes = z.infer<typeof receivedBytesSchema>;

/** `GET /v1/status` */
export const localStatusSchema = z.object({
  host: hostInfoSchema,
  load: hostLoadSchema,
  scheduler: z.object({
    url: z.string(),
    connected: z.boolean(),
    lastError: z.string().nullable(),
    shardCount: z.number().nullable(),
  }),
  dataDir: z.string(),
  /** Where the proxy is; null when there is none. */
  proxy: z.string().nullable(),
  taskCount: z.number(),
  runningTaskCount: z.number(),
  completeTaskCount: z.number(),
  /** Hosts that are asked for pieces now, and those that were sent some in the last 10 s. */
  parentCount: z.number(),
  childCount: z.number(),
  /** Since the process began, as all below. */
  servedBytes: z.number(),
  /** Verified bytes by where they came from; `local`: they were here when somebody on this machine asked for them. */
  receivedBytes: receivedBytesSchema,
  requestsRefused: z.record(z.enum(REFUSAL_REASONS), z.number()),
  /** Requests of this host that parents did not serve. */
  parentFailures: z.record(z.enum(PARENT_FAILURES), z.number()),
  hedges: hedgesSchema,
  piecesCorrupt: z.number(),
  neighboursLost: z.record(z.enum(LOSS_REASONS), z.number()),
  uptimeMs: z.number(),
});
export type LocalStatus = z.infer<typeof localStatusSchema>;
