/** The directory in SQLite, through drizzle: libSQL (a file or a server) and the SQLite of a Durable Object. */
import { and, asc, eq, gt, inArray, or, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { HostId, TaskId } from "../../schema/ids.ts";
import { hosts, peerPacks, pieceDigests, tasks } from "../../schema/tables/index.ts";
import type { Change } from "../core/change.ts";
import { atomically, type Db } from "./atomically.ts";
import type { Directory, PartOf } from "./directory.ts";
import { idsIn, peerPackOf, peerPackRow } from "./peer-pack.ts";
import { hostOf, hostRow, taskOf, taskRow } from "./rows.ts";
import { upsertInto } from "./upsert.ts";

const putHost = upsertInto(hosts, [hosts.hostId]);
const putTask = upsertInto(tasks, [tasks.taskId]);
const putPeers = upsertInto(peerPacks, [peerPacks.taskId, peerPacks.pack]);
const putDigests = upsertInto(pieceDigests, [pieceDigests.taskId, pieceDigests.chunk]);

/** @param db migrated already, see `migrate`.
 *  @param close lets go of the database. */
export function sqlDirectory(db: Db, close: () => void | Promise<void>): Directory {
  return {
    hosts: async () => (await db.select().from(hosts).orderBy(asc(hosts.hostId))).map(hostOf),
    task: async (taskId) => {
      const [task] = await db.select().from(tasks).where(eq(tasks.taskId, taskId));
      if (task === undefined) return undefined;
      const packs = await db.select().from(peerPacks).where(eq(peerPacks.taskId, taskId)).orderBy(asc(peerPacks.pack));
      const ofTask = eq(pieceDigests.taskId, taskId);
      const chunks = await db.select().from(pieceDigests).where(ofTask).orderBy(asc(pieceDigests.chunk));
      return { task: taskOf(task), packs: packs.map(peerPackOf), digests: chunks.map((row) => ({ ...row, taskId })) };
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
    peersOf: async (hostId, limit) => {
      const packs = await db.select().from(peerPacks).where(names(hostId)).orderBy(asc(peerPacks.taskId)).limit(limit);
      return packs.flatMap((row) => peerPackOf(row).peers.filter((peer) => peer.hostId === hostId));
    },
    partsOf: async (hostIds) => {
      const parts: PartOf[] = [];
      let last: { readonly taskId: TaskId; readonly pack: number } | undefined;
      do {
        const page = await pageOfPacks(db, last);
        for (const { taskId, hostIds: all } of page) {
          for (const id of idsIn(all)) if (hostIds.has(id as HostId)) parts.push({ taskId, hostId: id as HostId });
        }
        last = page.length < PACKS_PER_PAGE ? undefined : page.at(-1);
      } while (last !== undefined);
      return parts;
    },
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

/** Rows of peers looked through in one query, without the peers themselves. */
const PACKS_PER_PAGE = 1000;

async function pageOfPacks(db: Db, after: { readonly taskId: TaskId; readonly pack: number } | undefined) {
  const { taskId, pack, hostIds } = peerPacks;
  const later =
    after === undefined ? undefined : or(gt(taskId, after.taskId), and(eq(taskId, after.taskId), gt(pack, after.pack)));
  const packs = db.select({ taskId, pack, hostIds }).from(peerPacks).where(later);
  return await packs.orderBy(asc(taskId), asc(pack)).limit(PACKS_PER_PAGE);
}

/** Rows with a peer of the host that has not left. */
function names(hostId: HostId): SQL {
  return sql`instr(${peerPacks.hostIds}, ${hostId}) > 0`;
}

function tasksOf(db: Db, hostId: HostId) {
  return db.select({ taskId: peerPacks.taskId }).from(peerPacks).where(names(hostId));
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
        db.delete(peerPacks).where(eq(peerPacks.taskId, change.taskId)),
        db.delete(tasks).where(eq(tasks.taskId, change.taskId)),
      ];
    case "put-peers":
      return [putPeers(peerPackRow(change.pack))];
    case "put-digests":
      return [putDigests(change.chunk)];
  }
}
