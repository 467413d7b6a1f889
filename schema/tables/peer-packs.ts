import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { TaskId } from "../ids.ts";
import { bytes } from "./bytes.ts";

/** Who takes part in a task, many to a row: a row costs the same whatever is in it. Written when the task ends to run, and
 *  when a part in one that does not run changes; in between memory knows better. */
export const peerPacks = sqliteTable(
  "peer_packs",
  {
    taskId: text("task_id").$type<TaskId>().notNull(),
    pack: integer("pack").notNull(),
    /** Ids of the hosts that have not left, with a space between them: what is asked of a host is found by reading all of these. */
    hostIds: text("host_ids").notNull(),
    /** The peers in msgpack, as `edge/store/peer-pack.ts` reads it. */
    peers: bytes("peers").notNull(),
  },
  (table) => [primaryKey({ columns: [table.taskId, table.pack] })],
);
