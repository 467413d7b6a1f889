import { blob, index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** One host's participation in one task. Written when it begins and when it ends; in between memory knows better. */
export const peers = sqliteTable(
  "peers",
  {
    taskId: text("task_id").notNull(),
    hostId: text("host_id").notNull(),
    state: text("state", { enum: ["running", "holding", "succeeded", "failed", "left"] }).notNull(),
    bitfield: blob("bitfield", { mode: "buffer" }).$type<Uint8Array>().notNull(),
    sourceBytes: integer("source_bytes").notNull(),
    peerBytes: integer("peer_bytes").notNull(),
    problemCode: text("problem_code"),
    problemMessage: text("problem_message"),
    updatedAtMs: integer("updated_at_ms").notNull(),
  },
  (table) => [primaryKey({ columns: [table.taskId, table.hostId] }), index("peers_by_host").on(table.hostId)],
);
