/** What a host tells a shard. The first message of a channel (and of every POSTed batch) is `hello`. */

import { z } from "zod";
import { PIECE_DIGEST_BYTES } from "../digest.ts";
import { MAX_PIECE_COUNT } from "../piece.ts";
import { PROBLEM_CODES } from "../problem.ts";
import { withoutSecrets } from "../redact.ts";
import {
  bytesField,
  countField,
  hostIdField,
  leaseIdField,
  pieceCountField,
  pieceField,
  reasonField,
  taskIdField,
} from "./fields.ts";
import { hostInfoSchema, hostLoadSchema } from "./host.ts";
import { taskInfoSchema } from "./task.ts";

/** Digests in one message: 16,384 are 512 KiB and stay under the frame limit; longer lists go in several. */
export const MAX_DIGESTS_PER_MESSAGE = 16_384;
/** Runs (of pieces or of digests) and leases in one message. */
export const MAX_RUNS_PER_MESSAGE = 4096;
/** Neighbours that one report names to be exchanged. */
export const MAX_EXCHANGED = 4;
/** Readers of one host in one task of which the shard is told where they are. */
export const MAX_CURSORS = 16;
/** Nobody is believed to move for longer than this without saying so. */
export const MAX_QUIET_MS = 60_000;

export const digestRunSchema = z.object({
  firstPiece: pieceField,
  digests: bytesField(MAX_DIGESTS_PER_MESSAGE * PIECE_DIGEST_BYTES).refine(
    (bytes) => bytes.length % PIECE_DIGEST_BYTES === 0,
    `must be a multiple of ${PIECE_DIGEST_BYTES} bytes`,
  ),
});

export const pieceRunSchema = z.object({ firstPiece: pieceField, pieceCount: pieceCountField });
export type PieceRun = z.infer<typeof pieceRunSchema>;

const leaseProgressSchema = z.object({
  leaseId: leaseIdField,
  firstPiece: pieceField,
  /** Fewer than were granted give the end of the run back: it is neither read nor being read. */
  pieceCount: pieceCountField,
  /** Bytes read from the source under this lease so far: a lease that grows is alive, however slow. */
  readBytes: countField,
  /** What its source had sent when the host came to take it, on average of late, where that is more than a host finds that keeps up
   *  with its source. Absent: it keeps up, as far as is known. */
  backlogBytes: countField.optional(),
});
export type LeaseProgress = z.infer<typeof leaseProgressSchema>;

/** Pieces that readers of the content in order need next. */
const cursorsField = z.array(pieceField).max(MAX_CURSORS);

/** What went wrong, in words that may be remembered and shown. */
const problemField = z.object({ code: z.enum(PROBLEM_CODES), message: reasonField.transform(withoutSecrets) });

/** Opens the channel: who is speaking. */
const hello = z.object({ type: z.literal("hello"), host: hostInfoSchema });

/** Slow keepalive with the load of the host. */
const heartbeat = z.object({ type: z.literal("heartbeat"), load: hostLoadSchema });

/** Opens a peer, or states it anew after a resync: everything the shard must know of this host in this task. */
const announce = z.object({
  type: z.literal("announce"),
  task: taskInfoSchema,
  /** True while this host wants the pieces it lacks; false when it only offers what it holds. */
  wanting: z.boolean(),
  have: bytesField(MAX_PIECE_COUNT / 8),
  /** Leases granted before a scheduler restart and still being read; it takes them over. */
  leases: z.array(leaseProgressSchema).max(MAX_RUNS_PER_MESSAGE).default([]),
  /** Absent: nobody reads in order. */
  cursors: cursorsField.optional(),
});

/** What changed in one task since the last report. */
const progress = z.object({
  type: z.literal("progress"),
  taskId: taskIdField,
  /** Pieces that were verified and kept. */
  added: z.array(pieceRunSchema).max(MAX_RUNS_PER_MESSAGE).default([]),
  /** Pieces that were lost (rot, eviction of a part). */
  removed: z.array(pieceRunSchema).max(MAX_RUNS_PER_MESSAGE).default([]),
  /** Digests of pieces read from the source under a lease, or of held pieces when the shard asked for them. */
  digests: z.array(digestRunSchema).max(MAX_RUNS_PER_MESSAGE).default([]),
  leases: z.array(leaseProgressSchema).max(MAX_RUNS_PER_MESSAGE).default([]),
  /** All of them, when they changed. Absent: as they were stated last. */
  cursors: cursorsField.optional(),
  /** Neighbours that gave least of late, for whom it would have others. */
  exchange: z.array(hostIdField).max(MAX_EXCHANGED).optional(),
  /** The download moves, and may do so for this long before anything is reported of it. Absent: whoever reports nothing gets nothing. */
  quietMs: countField.max(MAX_QUIET_MS).optional(),
  /** Totals for this peer since it was announced. */
  sourceBytes: countField,
  peerBytes: countField,
});

/** Hands leases back unread, with what may have gone wrong at the source. */
const returnLeases = z.object({
  type: z.literal("return-leases"),
  taskId: taskIdField,
  leaseIds: z.array(leaseIdField).max(MAX_RUNS_PER_MESSAGE),
  problem: problemField.optional(),
});

/** A parent failed this host. */
const fault = z.object({
  type: z.literal("fault"),
  taskId: taskIdField,
  parentHostId: hostIdField,
  kind: z.enum(["corrupt", "unreachable", "refused", "slow"]),
  piece: pieceField.optional(),
});

/** This host's part in the task is over. `left` also withdraws what it held. */
const finish = z.object({
  type: z.literal("finish"),
  taskId: taskIdField,
  state: z.enum(["succeeded", "failed", "left"]),
  problem: problemField.optional(),
  sourceBytes: countField,
  peerBytes: countField,
});

/** The host leaves politely: all it held is gone with it. */
const bye = z.object({ type: z.literal("bye") });

export const peerMessageSchema = z.discriminatedUnion("type", [
  hello,
  heartbeat,
  announce,
  progress,
  returnLeases,
  fault,
  finish,
  bye,
]);
export type PeerMessage = z.infer<typeof peerMessageSchema>;
export type PeerMessageOf<T extends PeerMessage["type"]> = Extract<PeerMessage, { type: T }>;
