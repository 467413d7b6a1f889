/** A directory in libSQL: a file of this process, or a database on a server. */
import { pathToFileURL } from "node:url";
import { type Client, createClient, LibsqlError, type Transaction } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { ProblemError } from "../../schema/problem.ts";
import type { Directory } from "./directory.ts";
import { migrate } from "./migrate.ts";
import { sqlDirectory } from "./sql.ts";

export type LibsqlPlace =
  /** A file, created when absent; `<path>.lock` beside it says whose it is. */
  | { readonly kind: "file"; readonly path: string }
  /** `libsql://`, `http(s)://` or `ws(s)://`. */
  | { readonly kind: "server"; readonly url: string; readonly authToken?: string | undefined };

/** Opens and migrates.
 *  @throws ProblemError `store-failed`: cannot be opened, is in use, or does not fit this program. */
export async function libsqlDirectory(place: LibsqlPlace): Promise<Directory> {
  const opened = new DisposableStack();
  try {
    if (place.kind === "file") await own(place.path, opened);
    const client = opened.adopt(connect(place), (it) => it.close());
    if (place.kind === "file") await prepare(client);
    const db = drizzle(client);
    await migrate(db);
    return sqlDirectory(db, () => opened.dispose());
  } catch (cause) {
    opened.dispose();
    throw cause instanceof ProblemError ? cause : failure(place, cause);
  }
}

function connect(place: LibsqlPlace): Client {
  if (place.kind === "server") {
    return createClient({ url: place.url, ...(place.authToken === undefined ? {} : { authToken: place.authToken }) });
  }
  // One connection: what is set on it holds for everything, and a shard writes one list at a time anyway.
  return createClient({ url: pathToFileURL(place.path).href, concurrency: 1 });
}

/** Keeps a second scheduler off: two over one memory would undo each other. An open transaction on a file beside it
 *  is a lock that goes with the process. (libSQL's own `locking_mode = exclusive` is not given back on close.) */
async function own(path: string, opened: DisposableStack): Promise<void> {
  const lock = opened.adopt(createClient({ url: pathToFileURL(`${path}.lock`).href }), (it) => it.close());
  opened.adopt<Transaction>(await lock.transaction("write"), (it) => it.close());
}

/** WAL with `normal` survives a killed process; a power cut may cost the last moments, which peers restate. */
async function prepare(client: Client): Promise<void> {
  await client.execute("pragma journal_mode = wal");
  await client.execute("pragma synchronous = normal");
}

function failure(place: LibsqlPlace, cause: unknown): ProblemError {
  const where = place.kind === "file" ? place.path : new URL(place.url).host;
  const root = rootOf(cause);
  const busy = root instanceof LibsqlError && root.code.startsWith("SQLITE_BUSY");
  const what = busy
    ? "another scheduler is using it. Stop that one, or give this one another --data-dir"
    : `${root instanceof Error ? root.message : String(root)}. Check that it exists, is a database and may be written`;
  return new ProblemError("store-failed", `Cannot open the scheduler's database ${where}: ${what}`, { cause });
}

/** Beneath the statement that failed: why it failed. */
function rootOf(error: unknown): unknown {
  const known = error instanceof LibsqlError || !(error instanceof Error) || error.cause === undefined;
  return known ? error : rootOf(error.cause);
}
