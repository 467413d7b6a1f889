import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { HostId } from "../ids.ts";

/** Hosts a shard has met. Load and the moment last seen are kept in memory; a row is written when a host comes, changes
 *  or goes. */
export const hosts = sqliteTable("hosts", {
  hostId: text("host_id").$type<HostId>().primaryKey(),
  hostname: text("hostname").notNull(),
  role: text("role", { enum: ["normal", "seed"] }).notNull(),
  address: text("address").notNull(),
  idc: text("idc").notNull(),
  location: text("location").notNull(),
  version: text("version").notNull(),
  startedAtMs: integer("started_at_ms").notNull(),
  lastSeenAtMs: integer("last_seen_at_ms").notNull(),
  bannedUntilMs: integer("banned_until_ms"),
});
