/** Bounded field types shared by all messages: whatever crosses a wire has a length and an alphabet. */
import { z } from "zod";
import { HOST_ID_PATTERN, type HostId, LEASE_ID_PATTERN, type LeaseId, TASK_ID_PATTERN, type TaskId } from "../ids.ts";
import { MAX_PIECE_COUNT, MAX_USER_PIECE_LENGTH_BYTES, MIN_USER_PIECE_LENGTH_BYTES } from "../piece.ts";

export const taskIdField = z
  .string()
  .regex(TASK_ID_PATTERN, "must be 64 lower-case hex digits")
  .transform((id) => id as TaskId);
export const hostIdField = z
  .string()
  .regex(HOST_ID_PATTERN, "must be 32 lower-case hex digits")
  .transform((id) => id as HostId);
export const leaseIdField = z
  .string()
  .regex(LEASE_ID_PATTERN, "must be a lease id")
  .transform((id) => id as LeaseId);

/** Text without control characters, for names a person reads. */
export const textField = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .regex(/^\P{Cc}*$/u, "must not hold control characters");

/** Longest reason one side gives the other; longer ones are cut before they are sent. */
export const MAX_REASON_LENGTH = 1024;
export const reasonField = textField(MAX_REASON_LENGTH);

export const labelField = textField(256);
export const countField = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
export const millisecondsField = countField;
export const pieceField = z
  .int()
  .min(0)
  .max(MAX_PIECE_COUNT - 1);
export const pieceCountField = z.int().min(0).max(MAX_PIECE_COUNT);
export const pieceLengthField = z.int().min(MIN_USER_PIECE_LENGTH_BYTES).max(MAX_USER_PIECE_LENGTH_BYTES);

/** Raw bytes. The copy detaches them from the frame they were decoded from, which would otherwise be kept alive. */
export const bytesField = (maxBytes: number) =>
  z
    .instanceof(Uint8Array, { error: "must be bytes (bin)" })
    .refine((bytes) => bytes.length <= maxBytes, `must be at most ${maxBytes} bytes`)
    .transform((bytes): Uint8Array => new Uint8Array(bytes));

/** Origin of a peer's piece port, e.g. `http://10.0.0.7:65002`: no path, no query, no user info. */
export const addressField = z
  .string()
  .max(300)
  .regex(/^https?:\/\/(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i, "must be an origin such as http://10.0.0.7:65002");
