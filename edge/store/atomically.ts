/** Several statements, all or none, on every SQLite engine. */
import type { SQLWrapper } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { BaseSQLiteDatabase } from "drizzle-orm/sqlite-core";

/** Any drizzle database over SQLite: libSQL answers asynchronously, Durable Objects synchronously. */
export type Db = BaseSQLiteDatabase<"sync" | "async", unknown, Record<string, never>>;

interface Batching {
  batch(statements: readonly [BatchItem<"sqlite">, ...BatchItem<"sqlite">[]]): Promise<unknown>;
}

/** Runs the statements in order; when one fails, none has happened and the error is thrown.
 *  A list, because `transaction()` with awaits inside does not roll back on every engine. */
export async function atomically(db: Db, statements: readonly SQLWrapper[]): Promise<void> {
  if (isBatching(db)) {
    const [first, ...rest] = statements.map((statement) => db.run(statement) as BatchItem<"sqlite">);
    if (first !== undefined) await db.batch([first, ...rest]);
    return;
  }
  db.transaction((transaction) => {
    for (const statement of statements) transaction.run(statement);
  });
}

function isBatching(db: Db): db is Db & Batching {
  return "batch" in db;
}
