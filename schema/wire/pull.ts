/** Peer to peer, JSON: a child tells a seed where the source of a task is (`POST /v1/tasks/:id/pull`). It may hold
 *  credentials, so it goes straight from peer to peer and never to the scheduler. */
import { z } from "zod";
import { labelField, pieceField, pieceLengthField, textField } from "./fields.ts";
import { pieceRunSchema } from "./peer-message.ts";
import { storeOptionsSchema } from "./store-options.ts";

const headerName = z
  .string()
  .max(256)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be a header name");
const headerValue = textField(8192);

/** Where content comes from and with what rights: everything that `open` needs besides the store's own settings. */
export const sourceRequestSchema = z.object({
  url: z.string().min(1).max(16_384),
  /** Sent to the source as they are; never to another host after a redirect. */
  headers: z.record(headerName, headerValue).default({}),
  tag: labelField.default(""),
  application: labelField.default(""),
  /** Replaces the signature profiles when given; an empty list keeps every parameter. */
  filteredQueryParams: z.array(textField(256)).max(256).optional(),
  pieceLengthBytes: pieceLengthField.optional(),
  store: storeOptionsSchema.optional(),
  /** Names the content in place of its location. A digest (`sha256:...`) names it altogether: any version, anywhere. */
  contentName: textField(1024).min(1).optional(),
});
export type SourceRequest = z.infer<typeof sourceRequestSchema>;

export const pullRequestSchema = z.object({ source: sourceRequestSchema });

/** More than a host has leases of one task. */
export const MAX_READING_RUNS = 64;

/** `GET /v1/tasks/:id/bitfield?since=&waitMs=`: waits until `version` passes `since` or the time is up. */
export const bitfieldReplySchema = z.object({
  version: z.int().min(0),
  complete: z.boolean(),
  /** base64 */
  bitfield: z.string().max(400_000),
  /** What the host reads from the source just now. */
  reading: z.array(pieceRunSchema).max(MAX_READING_RUNS).default([]),
});
export type BitfieldReply = z.infer<typeof bitfieldReplySchema>;

/** Runs that one question for digests may name, and pieces they may have together. */
export const MAX_DIGEST_RUNS = 64;
export const MAX_DIGESTS_PER_REPLY = 2048;

/** `GET /v1/tasks/:id/digests?of=<first>-<last>,...`: BLAKE3 digests of those pieces that are held, for children who
 *  hear of no scheduler. */
export const digestsReplySchema = z.object({
  digests: z
    .array(z.object({ piece: pieceField, digest: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hex digits") }))
    .max(MAX_DIGESTS_PER_REPLY),
});
export type DigestsReply = z.infer<typeof digestsReplySchema>;
