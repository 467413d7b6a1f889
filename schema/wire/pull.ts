/** Peer to peer, JSON: a child tells a seed where the source of a task is (`POST /v1/tasks/:id/pull`). It may hold
 *  credentials, so it goes straight from peer to peer and never to the scheduler. */
import { z } from "zod";
import { labelField, pieceLengthField, textField } from "./fields.ts";

const headerName = z
  .string()
  .max(256)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be a header name");
const headerValue = textField(8192);

/** Credentials and place of an S3 store, as its caller gave them; what is absent comes from the reader's own
 *  configuration, environment and profile files. */
export const s3OptionsSchema = z.object({
  endpoint: z
    .url({ protocol: /^https?$/ })
    .max(1024)
    .optional(),
  region: textField(64).optional(),
  accessKeyId: textField(256).optional(),
  secretAccessKey: textField(1024).optional(),
  sessionToken: textField(8192).optional(),
  pathStyle: z.boolean().optional(),
  /** No signature at all, for public buckets. */
  anonymous: z.boolean().optional(),
  profile: textField(256).optional(),
});
export type S3Options = z.infer<typeof s3OptionsSchema>;

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
  s3: s3OptionsSchema.optional(),
});
export type SourceRequest = z.infer<typeof sourceRequestSchema>;

export const pullRequestSchema = z.object({ source: sourceRequestSchema });

/** `GET /v1/tasks/:id/bitfield?since=&waitMs=`: waits until `version` passes `since` or the time is up. */
export const bitfieldReplySchema = z.object({
  version: z.int().min(0),
  complete: z.boolean(),
  /** base64 */
  bitfield: z.string().max(400_000),
});
export type BitfieldReply = z.infer<typeof bitfieldReplySchema>;
