/** The part of the local API that is about stores: what lies in a folder of one, and what this host knows of them. */
import { z } from "zod";
import { problemSchema } from "../problem.ts";
import { sourceRequestSchema } from "./pull.ts";

const cursorSchema = z.union([z.object({ name: z.string().max(8192) }), z.object({ token: z.string().max(8192) })]);

/** `POST /v1/list`: one page of what lies in the folder that the URL names, with all its folders. */
export const listRequestSchema = z.object({
  source: sourceRequestSchema,
  /** What the page before said. */
  after: cursorSchema.optional(),
});
export type ListRequest = z.input<typeof listRequestSchema>;

export const listReplySchema = z.object({
  /** Of the folder, without credentials. */
  url: z.string(),
  /** What every key begins with: it is empty or ends in `/`. */
  prefix: z.string(),
  objects: z.array(
    z.object({
      key: z.string(),
      sizeBytes: z.number(),
      /** Tells its contents apart in time; null when the store does not say. */
      version: z.string().nullable(),
      /** What to ask for it by, with the rights of this request; or why that cannot be. */
      url: z.union([z.string(), problemSchema]),
    }),
  ),
  next: cursorSchema.optional(),
});
export type ListReply = z.output<typeof listReplySchema>;

/** `GET /v1/stores`: the rules of this host's configuration, without secrets. */
export const configuredStoreSchema = z.object({
  prefix: z.string(),
  endpoint: z.string().nullable(),
  region: z.string().nullable(),
  /** In words: what kind, and where from. */
  credentials: z.string(),
});
export type ConfiguredStore = z.output<typeof configuredStoreSchema>;

/** `POST /v1/stores/check`: tries what the URL names, an object or a folder. */
export const storeCheckRequestSchema = z.object({ source: sourceRequestSchema });

/** What went well; what does not is answered as a problem. */
export const storeCheckSchema = z.object({
  /** Without credentials. */
  url: z.string(),
  /** `null` when it was not tried, since the URL names an object. */
  listedKeys: z.number().nullable(),
  /** The object that could be read; `null` when there is none. */
  readKey: z.string().nullable(),
});
export type StoreCheck = z.output<typeof storeCheckSchema>;
