/** Records to rows of the tables and back. */
import type { hosts, peers, tasks } from "../../schema/tables/index.ts";
import type { HostRecord, PeerRecord, TaskRecord } from "../core/change.ts";

type HostRow = typeof hosts.$inferSelect;
type TaskRow = typeof tasks.$inferSelect;
type PeerRow = typeof peers.$inferSelect;

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

export function peerRow(peer: PeerRecord): PeerRow {
  const { problem, ...rest } = peer;
  return { ...rest, problemCode: problem?.code ?? null, problemMessage: problem?.message ?? null };
}

export function peerOf(row: PeerRow): PeerRecord {
  const { problemCode, problemMessage, ...rest } = row;
  return { ...rest, problem: problemCode === null ? null : { code: problemCode, message: problemMessage ?? "" } };
}
