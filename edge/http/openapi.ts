/** What routes say of themselves in `/openapi.json`. */
// Imported for its effect first: it gives zod schemas their `openapi` method.
import { type RouteConfig, z } from "@hono/zod-openapi";
import { HOST_ID_PATTERN, TASK_ID_PATTERN } from "../../schema/ids.ts";
import { type Problem, problemSchema } from "../../schema/problem.ts";
import { type TaskExplanation, taskExplanationSchema } from "../../schema/wire/explain.ts";
import {
  type Cluster,
  clusterSchema,
  type HostDetail,
  type HostSummary,
  hostDetailSchema,
  hostSummarySchema,
  pageOf,
  type Stats,
  statsSchema,
  type TaskDetail,
  type TaskSummary,
  taskDetailSchema,
  taskSummarySchema,
} from "../../schema/wire/query.ts";
import { createTallies } from "../../schema/wire/tallies.ts";

const HOST_ID = "5f0c8d1e2b3a49678c5d4e3f2a1b0c9d";
const TASK_ID = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

const task: TaskSummary = {
  taskId: TASK_ID,
  url: "s3://models/llama/model.safetensors",
  tag: "",
  application: "serving",
  version: 'etag:"6805f2cfc46c0f04559748bb039d69ae"',
  sizeBytes: 268_435_456,
  pieceLengthBytes: 262_144,
  pieceCount: 1024,
  ranged: true,
  state: "succeeded",
  peerCount: 4,
  completePeerCount: 4,
  knownDigestCount: 1024,
  sourceBytes: 268_435_456,
  peerBytes: 805_306_368,
  createdAtMs: 1_795_000_000_000,
  updatedAtMs: 1_795_000_060_000,
};
const peer: TaskDetail["peers"][number] = {
  hostId: HOST_ID,
  state: "succeeded",
  heldPieceCount: 1024,
  bitfield: "/////w==",
  leasedPieceCount: 0,
  sourceBytes: 67_108_864,
  peerBytes: 201_326_592,
  problem: null,
  updatedAtMs: 1_795_000_060_000,
};
const host: HostSummary = {
  hostId: HOST_ID,
  hostname: "node-7",
  role: "normal",
  address: "http://10.0.0.7:65002",
  idc: "hz1",
  location: "eu/zone-b/rack-7",
  version: "0.1.0",
  state: "online",
  load: {
    activeUploads: 2,
    activeDownloads: 1,
    uploadBytesPerSecond: 52_428_800,
    downloadBytesPerSecond: 104_857_600,
    storedBytes: 268_435_456,
    freeBytes: 42_949_672_960,
    residentBytes: 83_886_080,
  },
  startedAtMs: 1_795_000_000_000,
  lastSeenAtMs: 1_795_000_060_000,
  bannedUntilMs: null,
  taskCount: 1,
};
const hostTask: HostDetail["tasks"][number] = {
  taskId: TASK_ID,
  url: task.url,
  state: "succeeded",
  heldPieceCount: 1024,
  pieceCount: 1024,
};
const stats: Stats = {
  shardCount: 1,
  hostCount: 4,
  onlineHostCount: 4,
  taskCount: 1,
  runningPeerCount: 0,
  leaseCount: 0,
  sourceBytes: 268_435_456,
  peerBytes: 805_306_368,
  messagesIn: 96,
  messagesOut: 88,
  rowsWritten: 12,
  tallies: createTallies(),
};
const explanation: TaskExplanation = {
  leases: [
    {
      leaseId: "mi2x1c0-7",
      hostId: HOST_ID,
      firstPiece: 128,
      pieceCount: 64,
      readBytes: 8_388_608,
      bytesPerSecond: 10_485_760,
      ageMs: 850,
      quietMs: 50,
      leftMs: 9950,
      shortening: false,
    },
  ],
  readers: [
    { hostId: HOST_ID, standing: "reads", restMs: 0, cutOff: false },
    { hostId: "a".repeat(32), standing: "backs-off", restMs: 4200, cutOff: false },
  ],
  streams: { used: 1, allowed: 16 },
  source: { recentBytesPerSecond: 10_485_760, peakBytesPerSecond: 11_534_336, full: false, problem: null },
  unheldPieceCount: 640,
  leasablePieceCount: 576,
};
const cluster: Cluster = { protocol: 1, shardCount: 1, version: "0.1.0" };
const problem: Problem = {
  code: "task-not-found",
  message: `No task ${TASK_ID}: GET /v1/tasks lists the tasks there are`,
  detail: {},
};

// The example also stands in the schema, where tools look for it.
const named = <Schema extends z.ZodType>(name: string, schema: Schema, example: z.input<Schema>): Schema =>
  // A clone, since only schemas made after zod was extended can carry a name.
  schema.clone().openapi(name, { example });

export const problemReply = named("Problem", problemSchema, problem);
export const taskPageReply = named("TaskPage", pageOf(named("Task", taskSummarySchema, task)), {
  items: [task],
  nextCursor: null,
});
export const taskReply = named("TaskDetail", taskDetailSchema, { ...task, peers: [peer] });
export const explanationReply = named("TaskExplanation", taskExplanationSchema, explanation);
export const hostPageReply = named("HostPage", pageOf(named("Host", hostSummarySchema, host)), {
  items: [host],
  nextCursor: HOST_ID,
});
export const hostReply = named("HostDetail", hostDetailSchema, { ...host, tasks: [hostTask] });
export const statsReply = named("Stats", statsSchema, stats);
export const clusterReply = named("Cluster", clusterSchema, cluster);
export const healthReply = named("Health", z.object({ status: z.literal("ok") }), { status: "ok" });

export const taskIdParameter = z.object({
  taskId: z.string().regex(TASK_ID_PATTERN, "must be 64 lower-case hex digits").openapi({ example: TASK_ID }),
});
export const hostIdParameter = z.object({
  hostId: z.string().regex(HOST_ID_PATTERN, "must be 32 lower-case hex digits").openapi({ example: HOST_ID }),
});
/** Checked by the route itself, which knows how many there are. */
export const shardParameter = z.object({ shard: z.string().openapi({ example: "0", pattern: "^[0-9]+$" }) });

/** A JSON answer. */
export const json = <Schema extends z.ZodType>(description: string, schema: Schema) => ({
  description,
  content: { "application/json": { schema } },
});

const failure = (description: string) => json(description, problemReply);
export const badRequest = { 400: failure("A parameter or the body is wrong") } as const;
export const notFound = { 404: failure("There is no such thing") } as const;
/** Of every route that asks for the token. */
export const authorised = {
  401: failure("The cluster token is missing or wrong"),
  500: failure("A fault of the scheduler; its log has the details"),
  503: failure("The scheduler cannot answer now: its database is down, say"),
} as const;
export const tooLarge = { 413: failure("The body is longer than 1 MiB") } as const;

export const CLUSTER_TOKEN = "clusterToken";
export const security: NonNullable<RouteConfig["security"]> = [{ [CLUSTER_TOKEN]: [] }];

export const securityScheme = {
  type: "http",
  scheme: "bearer",
  description: "The cluster token. A scheduler with open queries answers queries without it.",
} as const;

export const documentOf = (version: string) => ({
  openapi: "3.1.0",
  info: {
    title: "Pantala scheduler",
    version,
    description:
      "Who takes part in moving which file, and which pieces each host holds. Lists are ordered by id and paged: pass `nextCursor` as `cursor` until it is null. Errors have one shape, `Problem`.",
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  },
  servers: [{ url: "/", description: "This scheduler" }],
  tags: [
    { name: "queries", description: "For people and scripts" },
    { name: "peers", description: "For peers: msgpack frames, see docs/protocol.md" },
  ],
});
