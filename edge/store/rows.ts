/** Records to rows of the tables and back. */
import type { hosts, tasks } from "../../schema/tables/index.ts";
import type { HostRecord, TaskRecord } from "../core/change.ts";

type HostRow = typeof hosts.$inferSelect;
type TaskRow = typeof tasks.$inferSelect;

export function hostRow(host: HostRecord): HostRow {
  return { ...host.info, lastSeenAtMs: host.lastSeenAtMs, bannedUntilMs: host.bannedUntilMs };
}

export function hostOf(row: HostRow): HostRecord {
  const { lastSeenAtMs, bannedUntilMs, ...info } = row;
  return { info, lastSeenAtMs, bannedUntilMs };
}

export function taskRow(task: TaskRecord): TaskRow {
  const { info, ...rest } = task;
  return { ...info, ...rest };
}

export function taskOf(row: TaskRow): TaskRecord {
  const { state, createdAtMs, updatedAtMs, ...info } = row;
  return { info, state, createdAtMs, updatedAtMs };
}
