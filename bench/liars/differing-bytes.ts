/** How many bytes of a file are not those of another. */
import { type FileHandle, open } from "node:fs/promises";

const CHUNK_BYTES = 1024 * 1024;

/** Bytes that one has beyond the end of the other differ. */
export async function differingBytes(path: string, otherPath: string): Promise<number> {
  await using file = await open(path);
  await using other = await open(otherPath);
  let count = 0;
  for (let at = 0; ; at += CHUNK_BYTES) {
    const [a, b] = await Promise.all([chunkAt(file, at), chunkAt(other, at)]);
    if (a.length === 0 && b.length === 0) return count;
    if (a.equals(b)) continue;
    count += Math.abs(a.length - b.length);
    for (let n = 0; n < Math.min(a.length, b.length); n++) if (a[n] !== b[n]) count++;
  }
}

async function chunkAt(file: FileHandle, position: number): Promise<Buffer> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position);
  return chunk.subarray(0, bytesRead);
}
