/** A task as peers describe it. No credentials and no query of the URL: the scheduler needs neither. */
import { z } from "zod";
import { MAX_PIECE_COUNT, pieceCountOf } from "../piece.ts";
import { withoutSecrets } from "../redact.ts";
import { countField, labelField, pieceLengthField, taskIdField, textField } from "./fields.ts";

export const taskInfoSchema = z
  .object({
    taskId: taskIdField,
    /** For people: see `displayUrl`. What a peer left in it all the same is taken out here. */
    url: textField(4096).transform(withoutSecrets),
    tag: labelField.default(""),
    application: labelField.default(""),
    version: textField(512),
    sizeBytes: countField,
    pieceLengthBytes: pieceLengthField,
    /** Whether the source serves byte ranges; if not, one lease covers the whole stream. */
    ranged: z.boolean(),
  })
  .refine((task) => pieceCountOf(task.sizeBytes, task.pieceLengthBytes) <= MAX_PIECE_COUNT, {
    message: `must have at most ${MAX_PIECE_COUNT} pieces: ask for a longer piece length`,
    path: ["pieceLengthBytes"],
  });
export type TaskInfo = z.infer<typeof taskInfoSchema>;

/** A run of BLAKE3 piece digests, 32 bytes each, starting at `firstPiece`. */
export interface DigestRun {
  readonly firstPiece: number;
  readonly digests: Uint8Array;
}

/** States of a peer, that is of one host's participation in one task. */
export const PEER_STATES = ["running", "holding", "succeeded", "failed", "left"] as const;
export type PeerState = (typeof PEER_STATES)[number];

/** States of a task: some peer wants it; an online host holds all; every peer failed; nobody takes part. */
export const TASK_STATES = ["running", "succeeded", "failed", "idle"] as const;
export type TaskState = (typeof TASK_STATES)[number];
