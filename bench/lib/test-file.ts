/** Files to distribute. */
import { randomBytes } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";

const CHUNK_BYTES = 4 * 1024 * 1024;
const STAMP_EVERY_BYTES = 64 * 1024;

/** Writes content that nothing can compress and no two pieces of which are alike, and waits for the disk, whose work
 *  would go into the first measurement otherwise. */
export async function writeTestFile(path: string, sizeBytes: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  // Random once: drawing 2 GB of chance takes longer than most of what is measured.
  const chunk = randomBytes(Math.min(CHUNK_BYTES, sizeBytes));
  await using file = await open(path, "w");
  for (let written = 0; written < sizeBytes; written += chunk.length) {
    for (let at = 0; at + 8 <= chunk.length; at += STAMP_EVERY_BYTES) chunk.writeDoubleLE(written + at, at);
    await file.write(chunk, 0, Math.min(chunk.length, sizeBytes - written));
  }
  await file.datasync();
}

/** A file that reads as zeros and takes no room. */
export async function writeSparseFile(path: string, sizeBytes: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await using file = await open(path, "w");
  await file.truncate(sizeBytes);
}
