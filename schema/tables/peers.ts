import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { HostId, TaskId } from "../ids.ts";
import { bytes } from "./bytes.ts";

/** One host's participation in one task. Written when it begins and when it ends; in between memory knows better. */
export const peers = sqliteTable(
  "peers",
  {
    taskId: text("task_id").$type<TaskId>().notNull(),
    hostId: text("host_id").$type<HostId>().notNull(),
    state: text("state", { enum: ["running", "holding", "succeeded", "failed", "left"] }).notNull(),
    bitfield: bytes("bitfield").notNull(),
    sourceBytes: integer("source_bytes").notNull(),
    peerBytes: integer("peer_bytes").notNull(),
    problemCode: text("problem_code"),
    problemMessage: text("problem_message"),
    updatedAtMs: integer("updated_at_ms").notNull(),
  },
  (table) => [primaryKey({ columns: [table.taskId, table.hostId] }), index("peers_by_host").on(table.hostId)],
);
