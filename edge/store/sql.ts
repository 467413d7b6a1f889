/** The directory in SQLite, through drizzle: libSQL (a file or a server) and the SQLite of a Durable Object. */
import { and, asc, eq, gt, inArray, ne, type SQL, type SQLWrapper } from "drizzle-orm";
import type { HostId, TaskId } from "../../schema/ids.ts";
import { hosts, peers, pieceDigests, tasks } from "../../schema/tables/index.ts";
import type { Change } from "../core/change.ts";
import { atomically, type Db } from "./atomically.ts";
import type { Directory } from "./directory.ts";
import { hostOf, hostRow, peerOf, peerRow, taskOf, taskRow } from "./rows.ts";
import { upsertInto } from "./upsert.ts";

const putHost = upsertInto(hosts, [hosts.hostId]);
const putTask = upsertInto(tasks, [tasks.taskId]);
const putPeer = upsertInto(peers, [peers.taskId, peers.hostId]);
const putDigests = upsertInto(pieceDigests, [pieceDigests.taskId, pieceDigests.chunk]);

/** @param db migrated already, see `migrate`.
 *  @param close lets go of the database. */
export function sqlDirectory(db: Db, close: () => void | Promise<void>): Directory {
  return {
    hosts: async () => (await db.select().from(hosts).orderBy(asc(hosts.hostId))).map(hostOf),
    task: async (taskId) => {
      const [task] = await db.select().from(tasks).where(eq(tasks.taskId, taskId));
      if (task === undefined) return undefined;
      const peerRows = await db.select().from(peers).where(eq(peers.taskId, taskId)).orderBy(asc(peers.hostId));
      const ofTask = eq(pieceDigests.taskId, taskId);
      const chunks = await db.select().from(pieceDigests).where(ofTask).orderBy(asc(pieceDigests.chunk));
      return { task: taskOf(task), peers: peerRows.map(peerOf), digests: chunks.map((row) => ({ ...row, taskId })) };
    },
    tasks: async (query) => {
      const filter = and(
        query.cursor === undefined ? undefined : gt(tasks.taskId, query.cursor as TaskId),
        query.state === undefined ? undefined : eq(tasks.state, query.state),
        query.tag === undefined ? undefined : eq(tasks.tag, query.tag),
        query.application === undefined ? undefined : eq(tasks.application, query.application),
        query.host === undefined ? undefined : inArray(tasks.taskId, tasksOf(db, query.host as HostId)),
      );
      return (await db.select().from(tasks).where(filter).orderBy(asc(tasks.taskId)).limit(query.limit)).map(taskOf);
    },
    peersOf: async (hostId, limit) =>
      (await db.select().from(peers).where(present(hostId)).orderBy(asc(peers.taskId)).limit(limit)).map(peerOf),
    runningTasks: async () => {
      const running = db.select({ taskId: tasks.taskId }).from(tasks).where(eq(tasks.state, "running"));
      return (await running.orderBy(asc(tasks.taskId))).map((row) => row.taskId);
    },
    countTasks: async () => await db.$count(tasks),
    apply: async (changes) =>
      await atomically(
        db,
        changes.flatMap((change) => statementsOf(db, change)),
      ),
    close: async () => await close(),
  };
}

/** Peers of the host that have not left. */
function present(hostId: HostId): SQL | undefined {
  return and(eq(peers.hostId, hostId), ne(peers.state, "left"));
}

function tasksOf(db: Db, hostId: HostId) {
  return db.select({ taskId: peers.taskId }).from(peers).where(present(hostId));
}

/** Each binds one row at most: far under the 100 parameters that Durable Objects allow a statement. */
function statementsOf(db: Db, change: Change): SQLWrapper[] {
  switch (change.kind) {
    case "put-host":
      return [putHost(hostRow(change.host))];
    case "remove-host":
      return [db.delete(hosts).where(eq(hosts.hostId, change.hostId))];
    case "put-task":
      return [putTask(taskRow(change.task))];
    case "remove-task":
      return [
        db.delete(pieceDigests).where(eq(pieceDigests.taskId, change.taskId)),
        db.delete(peers).where(eq(peers.taskId, change.taskId)),
        db.delete(tasks).where(eq(tasks.taskId, change.taskId)),
      ];
    case "put-peer":
      return [putPeer(peerRow(change.peer))];
    case "remove-peer":
      return [db.delete(peers).where(and(eq(peers.taskId, change.taskId), eq(peers.hostId, change.hostId)))];
    case "put-digests":
      return [putDigests(change.chunk)];
  }
}
