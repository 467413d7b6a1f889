/** `task.json`: what a stored task is, written before anything else of it. Its time stamp is the task's last use. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { describeIssues } from "../../schema/issues.ts";
import { type TaskInfo, taskInfoSchema } from "../../schema/wire/task.ts";
import { replaceFile } from "./replace-file.ts";

const FORMAT = 1;

const sealSchema = z.object({
  completedAtMs: z.int(),
  sizeBytes: z.int(),
  /** Nanoseconds, which a number cannot hold. */
  mtimeNs: z.string().regex(/^-?\d{1,20}$/),
});

const taskRecordSchema = z.object({
  format: z.literal(FORMAT),
  info: taskInfoSchema,
  createdAtMs: z.int(),
  /** By a person, until they take it back. */
  pinned: z.boolean().default(false),
  /** The boot under which unsynced pieces were written; `null` where the system has no such id. */
  bootId: z.string().nullable(),
  seal: sealSchema.nullable(),
});

/** What the content file looked like once all of it was verified and synced to the disk. */
export type Seal = z.infer<typeof sealSchema>;

export interface TaskRecord {
  readonly info: TaskInfo;
  readonly createdAtMs: number;
  readonly pinned: boolean;
  readonly bootId: string | null;
  /** `null` until the task is complete and synced. */
  readonly seal: Seal | null;
}

/** `durable`: survives a power loss. A new task does not need to: what is lost with it is nothing. */
export async function writeTaskRecord(
  path: string,
  record: TaskRecord,
  options: { readonly durable: boolean },
): Promise<void> {
  await replaceFile(path, `${JSON.stringify({ format: FORMAT, ...record }, null, 2)}\n`, options);
}

/** @throws Error saying what is wrong with the file. */
export async function readTaskRecord(path: string): Promise<TaskRecord> {
  const text = await readFile(path, "utf8");
  const parsed = taskRecordSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(describeIssues(parsed.error));
  return parsed.data;
}
