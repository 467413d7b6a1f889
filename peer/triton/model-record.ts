/** What a model's folder was filled with: a hidden file in it, which Triton does not look at. */
import { lstat, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { ListedModel } from "./list-model.ts";

export const RECORD_NAME = ".pantala-model.json";
const MAX_RECORD_BYTES = 16 * 1024 * 1024;

const recordSchema = z.object({
  url: z.string(),
  stripAgents: z.boolean(),
  folders: z.array(z.string()),
  files: z.array(
    z.object({
      path: z.string(),
      /** What the store called this content. */
      version: z.string(),
      sizeBytes: z.number(),
      /** Of the file as it was put there, which may be shorter than the store's: its agent was left out. */
      writtenBytes: z.number(),
    }),
  ),
});
type ModelRecord = z.output<typeof recordSchema>;

export interface WantedModel extends ListedModel {
  readonly stripAgents: boolean;
}

/** Whether the folder holds just this, as far as the store tells contents apart. */
export async function isCurrent(folder: string, wanted: WantedModel): Promise<boolean> {
  const record = await read(folder);
  if (record === undefined) return false;
  const { url, stripAgents, folders, files } = wanted;
  const known = record.files.map(({ path, version, sizeBytes }) => ({ path, version, sizeBytes }));
  const listed = files.map(({ path, version, sizeBytes }) => ({ path, version, sizeBytes }));
  if (!isDeepStrictEqual({ ...record, files: known }, { url, stripAgents, folders, files: listed })) return false;
  for (const { path, writtenBytes } of record.files) {
    const stats = await lstat(join(folder, path)).catch(() => undefined);
    if (stats?.isFile() !== true || stats.size !== writtenBytes) return false;
  }
  return true;
}

/** Notes what the folder was just filled with; nothing when the store does not tell contents apart. */
export async function writeRecord(folder: string, { url, stripAgents, folders, files }: WantedModel): Promise<void> {
  const known: ModelRecord["files"] = [];
  for (const { path, version, sizeBytes } of files) {
    if (version === null) return;
    known.push({ path, version, sizeBytes, writtenBytes: (await lstat(join(folder, path))).size });
  }
  const record: ModelRecord = { url, stripAgents, folders: [...folders], files: known };
  await writeFile(join(folder, RECORD_NAME), `${JSON.stringify(record)}\n`);
}

async function read(folder: string): Promise<ModelRecord | undefined> {
  try {
    await using file = await open(join(folder, RECORD_NAME));
    if ((await file.stat()).size > MAX_RECORD_BYTES) return undefined;
    return recordSchema.safeParse(JSON.parse(await file.readFile("utf8"))).data;
  } catch {
    return undefined;
  }
}
