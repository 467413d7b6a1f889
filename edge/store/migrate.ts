/** Brings a database to the shape this program needs. */
import { type SQLWrapper, sql } from "drizzle-orm";
import { type Migration, migrations } from "../../migrations/index.ts";
import { ProblemError } from "../../schema/problem.ts";
import { atomically, type Db } from "./atomically.ts";

/** Applies what is missing, each migration whole or not at all, and remembers it in the table `migrations`.
 *  @throws ProblemError `store-failed` when the database was written by a newer program, or by another one. */
export async function migrate(db: Db, wanted: readonly Migration[] = migrations): Promise<void> {
  await db.run(sql`create table if not exists migrations (number integer primary key, name text not null)`);
  const rows = await db.all<{ number: number; name: string }>(sql`select number, name from migrations order by number`);
  for (const [at, row] of rows.entries()) refuseUnknown(row.name, wanted[at]);
  for (const [at, migration] of wanted.entries()) {
    if (at < rows.length) continue;
    const statements: SQLWrapper[] = migration.statements.map((statement) => sql.raw(statement));
    const remembered = sql`insert into migrations (number, name) values (${at}, ${migration.name})`;
    await atomically(db, [...statements, remembered]);
  }
}

function refuseUnknown(applied: string, known: Migration | undefined): void {
  if (known?.name === applied) return;
  throw new ProblemError(
    "store-failed",
    known === undefined
      ? `The scheduler's database is newer than this program: it has migration ${applied}. Run the version that wrote it, or a later one`
      : `The scheduler's database was not written by Pantala: it has migration ${applied} where ${known.name} belongs. Point the scheduler at another database`,
  );
}
