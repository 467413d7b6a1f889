/** What every SQLite engine under the directory must do. Runs where `directoryConformance` runs. */
import { sql } from "drizzle-orm";
import { atomically, type Db } from "./atomically.ts";
import type { Runner } from "./directory.conformance.ts";
import { aDigestChunk, aHost, aTask, hostIdOf, taskIdOf } from "./fixtures.ts";
import { migrate } from "./migrate.ts";
import { sqlDirectory } from "./sql.ts";

/** @param open an empty database each time. */
export function sqlConformance(name: string, open: () => Promise<Db>, { describe, test, expect }: Runner): void {
  describe(`${name} engine`, () => {
    test("atomically() does nothing when a later statement fails", async () => {
      const db = await open();
      await atomically(db, [sql`create table kept (x integer not null)`, sql`insert into kept values (1)`]);
      const broken = atomically(db, [sql`insert into kept values (2)`, sql`insert into kept values (${null})`]);
      expect(await fails(broken)).toEqual(true);
      expect(await db.all(sql`select x from kept`)).toEqual([{ x: 1 }]);
      await atomically(db, []);
    });

    test("apply() leaves everything as it was when one of its changes cannot be written", async () => {
      const db = await open();
      await migrate(db);
      const directory = sqlDirectory(db, () => {});
      await directory.apply([{ kind: "put-task", task: aTask(1) }]);
      const unwritable = { ...aDigestChunk(1, 0, 5), known: null as unknown as Uint8Array };
      const broken = directory.apply([
        { kind: "put-host", host: aHost(1) },
        { kind: "remove-task", taskId: taskIdOf(1) },
        { kind: "put-digests", chunk: unwritable },
      ]);
      expect(await fails(broken)).toEqual(true);
      expect(await directory.hosts()).toEqual([]);
      expect(await directory.task(taskIdOf(1))).toEqual({ task: aTask(1), packs: [], digests: [] });
      expect(await directory.peersOf(hostIdOf(5), 10)).toEqual([]);
    });

    test("a migration that fails half way leaves no trace, and is applied once it is mended", async () => {
      const db = await open();
      const first = { name: "0000_first", statements: ["create table a (x)"] };
      const broken = { name: "0001_second", statements: ["create table b (x)", "create tble c (x)"] };
      const mended = { ...broken, statements: ["create table b (x)", "create table c (x)"] };
      expect(await fails(migrate(db, [first, broken]))).toEqual(true);
      expect(await tablesOf(db)).toEqual(["a", "migrations"]);
      await migrate(db, [first, mended]);
      await migrate(db, [first, mended]);
      expect(await tablesOf(db)).toEqual(["a", "b", "c", "migrations"]);
    });
  });
}

async function fails(promise: Promise<unknown>): Promise<boolean> {
  return await promise.then(
    () => false,
    () => true,
  );
}

async function tablesOf(db: Db): Promise<string[]> {
  const names = sql`select name from sqlite_schema where type = 'table' and name not glob '_cf*' order by name`;
  return (await db.all<{ name: string }>(names)).map((row) => row.name);
}
