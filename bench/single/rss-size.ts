/** How long the transfer is whose memory is measured. */
import { statfs } from "node:fs/promises";
import { freemem } from "node:os";

/** What the goal names. */
export const GOAL_SIZE_BYTES = 10 * 2 ** 30;
/** Both peers keep it. */
const COPIES = 2;
/** A store begins to evict at 90 % of what the disk has for it. */
const USABLE_SHARE = 0.8;
const STEP_BYTES = 2 ** 28;
/** `f_type` of a file system in memory: linux/magic.h. */
const TMPFS_MAGIC = 0x01021994;

/** The goal's size where there is room for it, else what fits, in steps of 256 MiB; never less than one of them.
 *  @param freeBytes what the file system has for files */
export function rssSizeFor(freeBytes: number): number {
  const fitting = Math.floor((freeBytes * USABLE_SHARE) / COPIES / STEP_BYTES) * STEP_BYTES;
  return Math.max(STEP_BYTES, Math.min(GOAL_SIZE_BYTES, fitting));
}

/** What a folder has for files. Where they lie in memory, half of what is free: processes need some too. */
export async function freeBytesFor(folder: string): Promise<number> {
  const { type, bavail, bsize } = await statfs(folder);
  const bytes = bavail * bsize;
  return type === TMPFS_MAGIC ? Math.min(bytes, freemem() / 2) : bytes;
}
