/** Which files of an output folder were fetched from where: one line a file, beside them. What the record knows, and is
 *  still as it was delivered, needs not be fetched again. */
import type { Stats } from "node:fs";
import { appendFile, lstat, open, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ProblemError } from "../../schema/problem.ts";
import { plainText } from "./human.ts";

export const RECORD_NAME = ".pantala-get.jsonl";
/** 100,000 files with long names; a longer record is begun anew. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

const entrySchema = z.object({
  /** URL of the object, without credentials. */
  url: z.string(),
  /** What the store called this content. */
  version: z.string(),
  sizeBytes: z.number(),
  /** Of the file as it was delivered. */
  path: z.string(),
  inode: z.number(),
  modifiedMs: z.number(),
});
type Entry = z.output<typeof entrySchema>;

export interface RecordedFile {
  readonly url: string;
  /** `null`: the store does not tell contents apart in its listing, so nothing is known. */
  readonly version: string | null;
  readonly sizeBytes: number;
  /** Beneath the folder. */
  readonly path: string;
}

export class FolderRecord {
  readonly #folder: string;
  readonly #entries: Map<string, Entry>;

  /** A record that is absent or broken is as good as empty. */
  static async open(folder: string): Promise<FolderRecord> {
    const { entries, lineCount, isTorn } = await readEntries(join(folder, RECORD_NAME));
    const record = new FolderRecord(folder, entries);
    // What is added would become a part of a line that was written in part.
    if (isTorn || lineCount > 2 * entries.size + 1000) await record.#rewrite();
    return record;
  }

  private constructor(folder: string, entries: Map<string, Entry>) {
    this.#folder = folder;
    this.#entries = entries;
  }

  /** Whether the file lies there with this content: it was delivered for this version, and nobody wrote to it since. */
  async has({ url, version, sizeBytes, path }: RecordedFile): Promise<boolean> {
    const entry = this.#entries.get(path);
    if (entry === undefined || entry.url !== url || entry.version !== version) return false;
    const stats = await statsOf(join(this.#folder, path));
    if (stats === undefined || stats.size !== sizeBytes || entry.sizeBytes !== sizeBytes) return false;
    return stats.ino === entry.inode && stats.mtimeMs === entry.modifiedMs;
  }

  /** Notes a file that was just delivered.
   *  @throws ProblemError `disk-full`, `output-unwritable`: the file is there, but the next time nobody knows whose it is */
  async add({ url, version, sizeBytes, path }: RecordedFile): Promise<void> {
    const stats = await statsOf(join(this.#folder, path));
    if (version === null || stats === undefined) return;
    const entry = { url, version, sizeBytes, path, inode: stats.ino, modifiedMs: stats.mtimeMs };
    this.#entries.set(path, entry);
    const record = join(this.#folder, RECORD_NAME);
    await appendFile(record, `${JSON.stringify(entry)}\n`).catch((cause: unknown) => {
      throw unwritable(record, path, cause);
    });
  }

  async #rewrite(): Promise<void> {
    const path = join(this.#folder, RECORD_NAME);
    const lines = [...this.#entries.values()].map((entry) => `${JSON.stringify(entry)}\n`);
    await writeFile(`${path}.new`, lines.join(""));
    await rename(`${path}.new`, path);
  }
}

interface ReadEntries {
  readonly entries: Map<string, Entry>;
  readonly lineCount: number;
  readonly isTorn: boolean;
}

async function readEntries(path: string): Promise<ReadEntries> {
  const entries = new Map<string, Entry>();
  let lineCount = 0;
  let isTorn = false;
  try {
    await using file = await open(path);
    if ((await file.stat()).size > MAX_RECORD_BYTES) return { entries, lineCount: Number.POSITIVE_INFINITY, isTorn };
    for await (const line of file.readLines()) {
      lineCount++;
      const parsed = entrySchema.safeParse(jsonOf(line));
      isTorn ||= !parsed.success;
      if (parsed.success) entries.set(parsed.data.path, parsed.data);
    }
  } catch {
    // There is none, or it cannot be read: then everything is fetched.
  }
  return { entries, lineCount, isTorn };
}

function unwritable(record: string, path: string, cause: unknown): ProblemError {
  const why = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
  const what = `${plainText(path)} is there, but ${plainText(record)}, which records that, cannot be written (${why})`;
  return why === "ENOSPC" || why === "EDQUOT"
    ? new ProblemError("disk-full", `${what}: make room, and run the same command again with --overwrite`, { cause })
    : new ProblemError("output-unwritable", `${what}: move it away, or name another output with -O`, { cause });
}

async function statsOf(path: string): Promise<Stats | undefined> {
  return await lstat(path).catch(() => undefined);
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
