/** `GET /v1/tasks/:id/explain`: why the source of a task is read by whom, as the scheduler sees it. */
import { z } from "zod";

/** What a host that wants the task is to the one who grants leases: docs/operations.md, "Why it waits". */
export const READER_STANDINGS = [
  "reads",
  "next",
  "all-held",
  "all-leased",
  "no-streams-left",
  "budget-spent",
  "seed-first",
  "awaits-seed",
  "slow",
  "recovering",
  "source-failed",
  "backs-off",
  "expired",
  "frozen",
  "banned",
  "unstated",
  "away",
] as const;
export type ReaderStanding = (typeof READER_STANDINGS)[number];

export const leaseExplanationSchema = z.object({
  leaseId: z.string(),
  hostId: z.string(),
  firstPiece: z.number(),
  pieceCount: z.number(),
  readBytes: z.number(),
  /** On average since it was granted, as far as was reported. */
  bytesPerSecond: z.number(),
  ageMs: z.number(),
  /** Since it was seen to move. */
  quietMs: z.number(),
  /** It expires in so long, unless it moves. */
  leftMs: z.number(),
  /** Its end was asked back. */
  shortening: z.boolean(),
});

export const readerExplanationSchema = z.object({
  hostId: z.string(),
  standing: z.enum(READER_STANDINGS),
  /** How long that lasts, as far as it is a matter of time; else 0. */
  restMs: z.number(),
  /** All it lacks is held only by hosts it cannot reach. */
  cutOff: z.boolean(),
});

export const taskExplanationSchema = z.object({
  /** By first piece. */
  leases: z.array(leaseExplanationSchema),
  /** Every host that wants the task, by id. */
  readers: z.array(readerExplanationSchema),
  streams: z.object({ used: z.number(), allowed: z.number() }),
  source: z.object({
    recentBytesPerSecond: z.number(),
    peakBytesPerSecond: z.number(),
    /** Further streams would bring nothing, as far as is known. */
    full: z.boolean(),
    /** What a host was told last that could not read it. */
    problem: z.object({ code: z.string(), message: z.string() }).nullable(),
  }),
  /** Pieces that nobody holds, and those of them that nobody was told to read. */
  unheldPieceCount: z.number(),
  leasablePieceCount: z.number(),
});
export type TaskExplanation = z.infer<typeof taskExplanationSchema>;
