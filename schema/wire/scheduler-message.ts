/** What a shard tells a host. */

import { z } from "zod";
import { PROBLEM_CODES, problemSchema } from "../problem.ts";
import {
  addressField,
  countField,
  hostIdField,
  labelField,
  leaseIdField,
  millisecondsField,
  pieceCountField,
  pieceField,
  reasonField,
  taskIdField,
  textField,
} from "./fields.ts";
import { HOST_ROLES } from "./host.ts";
import { digestRunSchema, MAX_RUNS_PER_MESSAGE } from "./peer-message.ts";

/** Most neighbours named in one message. */
export const MAX_NEIGHBOURS = 64;

const neighbourSchema = z.object({
  hostId: hostIdField,
  address: addressField,
  role: z.enum(HOST_ROLES),
  idc: labelField.default(""),
  /** A seed that has not opened this task: tell it where the source is (`POST /v1/tasks/:id/pull`). */
  needsPull: z.boolean().default(false),
});
export type Neighbour = z.infer<typeof neighbourSchema>;

export const leaseSchema = z.object({
  leaseId: leaseIdField,
  firstPiece: pieceField,
  pieceCount: pieceCountField,
  /** Without progress for this long the lease is granted to somebody else. */
  ttlMs: millisecondsField,
});
export type Lease = z.infer<typeof leaseSchema>;

/** Answer to `hello`. The host then announces every task it takes part in on this shard. */
const welcome = z.object({
  type: z.literal("welcome"),
  shard: countField,
  shardCount: countField,
  heartbeatIntervalMs: millisecondsField,
  /** How often to report while a task is running. */
  progressIntervalMs: millisecondsField,
});

/** Answer to `announce`. */
const task = z.object({
  type: z.literal("task"),
  taskId: taskIdField,
  /** Proof for parents that this host may have this task (a JWT), and how long it lasts. */
  ticket: textField(2048),
  ticketTtlMs: millisecondsField,
  /** The shard lacks digests of pieces this host holds: send them in `progress`. */
  digestsWanted: z.boolean(),
});

/** Piece digests the task now has; pieces are verified against these and nothing else. */
const digests = z.object({
  type: z.literal("digests"),
  taskId: taskIdField,
  runs: z.array(digestRunSchema).max(MAX_RUNS_PER_MESSAGE),
});

/** Hosts to trade with, in addition to those named before. */
const neighbours = z.object({
  type: z.literal("neighbours"),
  taskId: taskIdField,
  add: z.array(neighbourSchema).max(MAX_NEIGHBOURS).default([]),
  remove: z.array(hostIdField).max(MAX_NEIGHBOURS).default([]),
});

const leases = z.object({
  type: z.literal("leases"),
  taskId: taskIdField,
  granted: z.array(leaseSchema).max(MAX_RUNS_PER_MESSAGE).default([]),
  /** Stop reading these: they expired and may be somebody else's by now. */
  revoked: z.array(leaseIdField).max(MAX_RUNS_PER_MESSAGE).default([]),
  /** Stop these after so many of their pieces, or after the one that is being read when that is later, and report what is
   *  left of them (`progress.leases`): others can read the rest. Of a lease that is not being read nothing follows. */
  shortened: z
    .array(z.object({ leaseId: leaseIdField, pieceCount: pieceCountField }))
    .max(MAX_RUNS_PER_MESSAGE)
    .optional(),
});

/** A host that served bad bytes: drop it from every task, now. */
const ban = z.object({ type: z.literal("ban"), hostId: hostIdField });

/** The shard cannot let this host take part in the task. */
const refused = z.object({
  type: z.literal("refused"),
  taskId: taskIdField,
  code: z.enum(PROBLEM_CODES),
  message: reasonField,
});

/** State everything anew: the shard does not know this host (any more). */
const resync = z.object({ type: z.literal("resync") });

/** A message was not understood; the channel stays open unless the frame itself was broken. */
const error = z.object({ type: z.literal("error"), problem: problemSchema });

export const schedulerMessageSchema = z.discriminatedUnion("type", [
  welcome,
  task,
  digests,
  neighbours,
  leases,
  ban,
  refused,
  resync,
  error,
]);
export type SchedulerMessage = z.infer<typeof schedulerMessageSchema>;
export type SchedulerMessageOf<T extends SchedulerMessage["type"]> = Extract<SchedulerMessage, { type: T }>;
