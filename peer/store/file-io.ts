/** Whole reads and writes at a position, over descriptors. */
import { fsync, read, write } from "node:fs";
import { promisify } from "node:util";

type Transfer = (
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => Promise<{ readonly bytesRead?: number; readonly bytesWritten?: number }>;

const readSome = promisify(read) as Transfer;
const writeSome = promisify(write) as Transfer;

export const syncDescriptor = promisify(fsync);

export async function writeFully(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten = 0 } = await writeSome(descriptor, bytes, done, bytes.length - done, position + done);
    if (bytesWritten === 0) throw new Error(`the file took no more bytes at ${position + done}`);
    done += bytesWritten;
  }
}

/** Fills `bytes` from `position`. */
export async function readFully(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead = 0 } = await readSome(descriptor, bytes, done, bytes.length - done, position + done);
    if (bytesRead === 0) throw new Error(`the file ends at ${position + done}, ${bytes.length - done} bytes too early`);
    done += bytesRead;
  }
}
