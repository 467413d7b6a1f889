import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { TaskId } from "../ids.ts";
import { bytes } from "./bytes.ts";

export const tasks = sqliteTable("tasks", {
  taskId: text("task_id").$type<TaskId>().primaryKey(),
  url: text("url").notNull(),
  tag: text("tag").notNull(),
  application: text("application").notNull(),
  version: text("version").notNull(),
  sizeBytes: integer("size_bytes").notNull(),
  pieceLengthBytes: integer("piece_length_bytes").notNull(),
  ranged: integer("ranged", { mode: "boolean" }).notNull(),
  state: text("state", { enum: ["running", "succeeded", "failed", "idle"] }).notNull(),
  createdAtMs: integer("created_at_ms").notNull(),
  updatedAtMs: integer("updated_at_ms").notNull(),
});

/** BLAKE3 piece digests in chunks of `DIGESTS_PER_CHUNK`, so that a row stays far under SQLite's 2 MB on Durable
 *  Objects and a change rewrites little. */
export const pieceDigests = sqliteTable(
  "piece_digests",
  {
    taskId: text("task_id").$type<TaskId>().notNull(),
    chunk: integer("chunk").notNull(),
    /** Which of the chunk's pieces are known, as a bitfield. */
    known: bytes("known").notNull(),
    digests: bytes("digests").notNull(),
  },
  (table) => [primaryKey({ columns: [table.taskId, table.chunk] })],
);
