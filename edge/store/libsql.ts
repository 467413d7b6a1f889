/** A directory in libSQL: a file of this process, or a database on a server. */
import { pathToFileURL } from "node:url";
import { type Client, createClient, LibsqlError, type Transaction } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { ProblemError } from "../../schema/problem.ts";
import { type ClaimOptions, DatabaseClaim } from "./database-claim.ts";
import type { Directory } from "./directory.ts";
import { migrate } from "./migrate.ts";
import { fetchFromServer, serverProblemOf } from "./server-problem.ts";
import { sqlDirectory } from "./sql.ts";

export type LibsqlPlace =
  /** A file, created when absent; `<path>.lock` beside it says whose it is. */
  | { readonly kind: "file"; readonly path: string }
  /** `libsql://`, `http(s)://` or `ws(s)://`. */
  | { readonly kind: "server"; readonly url: string; readonly authToken?: string | undefined };

/** How a database server is watched, and who hears of it. */
export type ServerWatch = Partial<Omit<ClaimOptions, "host" | "owner">>;

/** A killed scheduler can start again after `staleAfterMs`; a second one hears soon after `renewEveryMs` that it is one. */
const WATCH = { renewEveryMs: 2000, staleAfterMs: 6000, log: () => {}, onLost: () => {} };

/** Opens and migrates.
 *  @throws ProblemError `store-failed`: cannot be opened or does not fit this program; `in-use`: another scheduler has it;
 *  `database-unreachable`, also later, by every method: the server is down, refuses the token, or is none. */
export async function libsqlDirectory(place: LibsqlPlace, watch: ServerWatch = {}): Promise<Directory> {
  await using opened = new AsyncDisposableStack();
  try {
    if (place.kind === "file") await own(place.path, opened);
    const client = opened.adopt(connect(place), (it) => it.close());
    const db = drizzle(client);
    if (place.kind === "file") {
      await prepare(client);
      await migrate(db);
      const kept = opened.move();
      return sqlDirectory(db, () => kept.disposeAsync());
    }
    const host = hostOf(place);
    const claim = await DatabaseClaim.take(client, { ...WATCH, ...watch, host, owner: crypto.randomUUID() });
    opened.defer(() => claim.release());
    await migrate(db);
    const kept = opened.move();
    return guarded(
      sqlDirectory(db, () => kept.disposeAsync()),
      claim,
      host,
    );
  } catch (cause) {
    throw failure(place, cause);
  }
}

/** The same directory, which does not ask a server that is down, and says so. */
function guarded(directory: Directory, claim: DatabaseClaim, host: string): Directory {
  const ask = async <Answer>(question: () => Promise<Answer>): Promise<Answer> => {
    claim.check();
    try {
      return await question();
    } catch (error) {
      const problem = serverProblemOf(host, error);
      if (problem === undefined) throw error;
      claim.fail(problem);
      throw problem;
    }
  };
  return {
    hosts: () => ask(() => directory.hosts()),
    task: (taskId) => ask(() => directory.task(taskId)),
    tasks: (query) => ask(() => directory.tasks(query)),
    peersOf: (hostId, limit) => ask(() => directory.peersOf(hostId, limit)),
    partsOf: (hostIds) => ask(() => directory.partsOf(hostIds)),
    runningTasks: () => ask(() => directory.runningTasks()),
    countTasks: () => ask(() => directory.countTasks()),
    apply: (changes) => ask(() => directory.apply(changes)),
    close: () => directory.close(),
  };
}

function connect(place: LibsqlPlace): Client {
  if (place.kind === "server") {
    const { url, authToken } = place;
    return createClient({
      url,
      fetch: fetchFromServer(hostOf(place)),
      ...(authToken === undefined ? {} : { authToken }),
    });
  }
  // One connection: what is set on it holds for everything, and a shard writes one list at a time anyway.
  return createClient({ url: pathToFileURL(place.path).href, concurrency: 1 });
}

function hostOf(place: { readonly url: string }): string {
  return new URL(place.url).host;
}

/** Keeps a second scheduler off: two over one memory would undo each other. An open transaction on a file beside it
 *  is a lock that goes with the process. (libSQL's own `locking_mode = exclusive` is not given back on close.) */
async function own(path: string, opened: AsyncDisposableStack): Promise<void> {
  const lock = opened.adopt(createClient({ url: pathToFileURL(`${path}.lock`).href }), (it) => it.close());
  opened.adopt<Transaction>(await lock.transaction("write"), (it) => it.close());
}

/** WAL with `normal` survives a killed process; a power cut may cost the last moments, which peers restate. */
async function prepare(client: Client): Promise<void> {
  await client.execute("pragma journal_mode = wal");
  await client.execute("pragma synchronous = normal");
}

function failure(place: LibsqlPlace, cause: unknown): ProblemError {
  const where = place.kind === "file" ? place.path : hostOf(place);
  const known = serverProblemOf(where, cause);
  if (known !== undefined) return known;
  const root = rootOf(cause);
  if (root instanceof LibsqlError && root.code.startsWith("SQLITE_BUSY")) {
    const message = `Cannot open the scheduler's database ${where}: another scheduler is using it. Stop that one, or give this one another --data-dir`;
    return new ProblemError("in-use", message, { cause });
  }
  const why = (root instanceof Error ? root.message : String(root)).replaceAll(/\s+/g, " ");
  const message = `Cannot open the scheduler's database ${where}: ${why}. Check that it exists, is a database and may be written`;
  return new ProblemError("store-failed", message, { cause });
}

/** Beneath the statement that failed: why it failed. */
function rootOf(error: unknown): unknown {
  const known = error instanceof LibsqlError || !(error instanceof Error) || error.cause === undefined;
  return known ? error : rootOf(error.cause);
}
