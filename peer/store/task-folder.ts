/** The folder of one task: making a new one, and reading one that an earlier process left, in whatever state. */
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { TaskId } from "../../schema/ids.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import { ContentFile } from "./content-file.ts";
import { type DiskShelf, DiskTask } from "./disk-task.ts";
import { Holdings } from "./holdings.ts";
import { Journal } from "./journal.ts";
import { decodeJournal, encodeJournalRecord, JOURNAL_RECORD_BYTES } from "./journal-record.ts";
import { LastUse } from "./last-use.ts";
import { replaceFile } from "./replace-file.ts";
import { errorCodeOf } from "./store-problem.ts";
import { readTaskRecord, type TaskRecord, writeTaskRecord } from "./task-record.ts";

const PRIVATE_FOLDER = 0o700;

/** `folder` must not exist yet. */
export async function createTaskFolder(shelf: DiskShelf, folder: string, info: TaskInfo): Promise<DiskTask> {
  await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  const record = { info, createdAtMs: shelf.nowMs(), pinned: false, bootId: shelf.bootId, seal: null };
  await writeTaskRecord(recordPathIn(folder), record, { durable: false });
  const content = contentIn(shelf, folder, record);
  await content.create();
  const holdings = new Holdings(info);
  if (holdings.complete) await content.protect();
  const task = taskIn(shelf, { folder, record, content, holdings, journalBytes: 0, lastUsedAtMs: record.createdAtMs });
  if (task.complete) void task.seal();
  return task;
}

/** @throws Error saying why the folder cannot be used. */
export async function loadTaskFolder(shelf: DiskShelf, folder: string, taskId: TaskId): Promise<DiskTask> {
  const record = await readTaskRecord(recordPathIn(folder));
  const { mtimeMs } = await stat(recordPathIn(folder));
  if (record.info.taskId !== taskId) throw new Error(`task.json is of task ${record.info.taskId}`);
  for (const name of await readdir(folder)) if (name.endsWith(".tmp")) await rm(join(folder, name), { force: true });
  const holdings = new Holdings(record.info);
  const journalBytes = await loadJournal(join(folder, "journal"), holdings);
  const content = contentIn(shelf, folder, record);
  const task = taskIn(shelf, { folder, record, content, holdings, journalBytes, lastUsedAtMs: Math.round(mtimeMs) });
  // Unsynced pieces outlive this process, but not the kernel; and a system without boot ids does not tell.
  const mayHaveLostPower = record.seal === null && (record.bootId === null || record.bootId !== shelf.bootId);
  if (mayHaveLostPower || (await task.wasTouched())) await task.verify();
  holdings.startCounting();
  if (task.complete) void task.seal();
  return task;
}

interface FoundTask {
  readonly folder: string;
  readonly record: TaskRecord;
  readonly content: ContentFile;
  readonly holdings: Holdings;
  readonly journalBytes: number;
  readonly lastUsedAtMs: number;
}

function taskIn(shelf: DiskShelf, found: FoundTask): DiskTask {
  const { folder, record, content, holdings, journalBytes, lastUsedAtMs } = found;
  const recordPath = recordPathIn(folder);
  const journal = new Journal(join(folder, "journal"), shelf.files, journalBytes);
  const lastUse = new LastUse(recordPath, lastUsedAtMs, shelf.nowMs);
  return new DiskTask({ shelf, content, journal, holdings, record, recordPath, lastUse });
}

function contentIn(shelf: DiskShelf, folder: string, record: TaskRecord): ContentFile {
  return new ContentFile(join(folder, "content"), record.info.sizeBytes, shelf.files, record.seal !== null);
}

function recordPathIn(folder: string): string {
  return join(folder, "task.json");
}

/** Fills `holdings`; returns the length of the sound journal. A torn tail and outdated records are cut away. */
async function loadJournal(path: string, holdings: Holdings): Promise<number> {
  const bytes = await readFile(path).catch((error: unknown) => {
    if (errorCodeOf(error) === "ENOENT") return new Uint8Array();
    throw error;
  });
  for (const { piece, digest } of decodeJournal(bytes, holdings.pieceCount)) {
    if (digest === undefined) holdings.remove(piece);
    else holdings.add(piece, digest);
  }
  const sound = new Uint8Array(holdings.heldCount * JOURNAL_RECORD_BYTES);
  if (bytes.length === sound.length) return sound.length;
  let at = 0;
  for (let piece = 0; piece < holdings.pieceCount; piece++) {
    const digest = holdings.digestOf(piece);
    if (digest === undefined) continue;
    sound.set(encodeJournalRecord({ piece, digest }), at);
    at += JOURNAL_RECORD_BYTES;
  }
  await replaceFile(path, sound, { durable: true });
  return sound.length;
}
