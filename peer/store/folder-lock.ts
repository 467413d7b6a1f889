/** One process per store. The lock is the kernel's own (SQLite takes it on the file `lock`), so it ends with the process
 *  however that dies, is never mistaken for one whose pid was used again, and holds between containers on one machine. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
// biome-ignore lint/correctness/noUnresolvedImports: biome 2.6.8 does not know this module of Node, Bun and Deno.
import { DatabaseSync } from "node:sqlite";
import { ProblemError } from "../../schema/problem.ts";

const SQLITE_BUSY = 5;
/** The same in SQLite's words: Deno gives no number (2.9). */
const BUSY_TEXT = "database is locked";

export interface FolderLock {
  release(): void;
}

/** @throws ProblemError `in-use`, naming the process that has the folder; SQLite's error when the file is unusable. */
export async function lockFolder(folder: string): Promise<FolderLock> {
  // Held by the object returned: were it collected, the lock would be gone with it (Bun 1.4.5).
  const database = new DatabaseSync(join(folder, "lock"));
  const pidPath = join(folder, "lock.pid");
  try {
    database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    if (!isBusy(cause)) throw cause;
    const pid = (await readFile(pidPath, "utf8").catch(() => "")).trim();
    throw new ProblemError(
      "in-use",
      `The store in ${folder} is in use by process ${pid || "of unknown id"}: stop that peer, or give this one another data folder`,
      { detail: { folder, pid: Number(pid) || null }, cause },
    );
  }
  // Only for the message above: a full disk is no reason not to start.
  await writeFile(pidPath, `${process.pid}\n`).catch(() => {});
  return { release: () => database.close() };
}

function isBusy(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return "errcode" in error ? error.errcode === SQLITE_BUSY : error.message === BUSY_TEXT;
}
