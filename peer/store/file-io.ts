/** Whole reads and writes at a position, over descriptors. */
import { fsync, read, writev } from "node:fs";
import { promisify } from "node:util";

/** Of one `writev`: Linux takes 1,024 (IOV_MAX). */
const MAX_CHUNKS_A_CALL = 1024;

const readSome = promisify(read) as (
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => Promise<{ readonly bytesRead: number }>;
const writeSome = promisify(writev) as (
  descriptor: number,
  chunks: readonly Uint8Array[],
  position: number,
) => Promise<{ readonly bytesWritten: number }>;

export const syncDescriptor = promisify(fsync);

/** Writes chunks one behind the other, without copying them together. */
export async function writeFully(descriptor: number, chunks: readonly Uint8Array[], position: number): Promise<void> {
  let rest = chunks.filter((chunk) => chunk.length > 0);
  for (let at = position; rest.length > 0; ) {
    const { bytesWritten } = await writeSome(descriptor, rest.slice(0, MAX_CHUNKS_A_CALL), at);
    if (bytesWritten === 0) throw new Error(`the file took no more bytes at ${at}`);
    at += bytesWritten;
    rest = behind(rest, bytesWritten);
  }
}

/** What is left of chunks once their first bytes are gone. */
function behind(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let gone = bytes;
  const rest: Uint8Array[] = [];
  for (const chunk of chunks) {
    if (gone < chunk.length) rest.push(chunk.subarray(gone));
    gone = Math.max(0, gone - chunk.length);
  }
  return rest;
}

/** Fills `bytes` from `position`. */
export async function readFully(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await readSome(descriptor, bytes, done, bytes.length - done, position + done);
    if (bytesRead === 0) throw new Error(`the file ends at ${position + done}, ${bytes.length - done} bytes too early`);
    done += bytesRead;
  }
}
