import { open } from "node:fs/promises";
import type { ByteRange } from "../../schema/byte-range.ts";
import type { BodyWriter } from "./body-writer.ts";

/** Fits the cache of a core, and is read while the one before is sent: as fast as the kernel's own sendfile, which
 *  `node:http` does not have (docs/benchmarks.md). */
const BUFFER_BYTES = 512 * 1024;

/** Sends a part of a file. @throws when the client goes, or the file is shorter than it should be */
export async function sendFile(path: string, range: ByteRange, body: BodyWriter): Promise<void> {
  await using file = await open(path);
  const sizeBytes = Math.min(BUFFER_BYTES, range.end - range.start);
  const buffers = [Buffer.allocUnsafeSlow(sizeBytes), Buffer.allocUnsafeSlow(sizeBytes)] as const;
  const read = async (buffer: Buffer, at: number): Promise<Buffer> => {
    const wanted = Math.min(buffer.length, range.end - at);
    const { bytesRead } = await file.read(buffer, 0, wanted, at);
    if (bytesRead === 0) throw new Error(`${path} ends at ${at}, before ${range.end}`);
    return buffer.subarray(0, bytesRead);
  };
  let at = range.start;
  let turn = 0;
  let next: Promise<Buffer> | undefined = at < range.end ? read(buffers[0], at) : undefined;
  try {
    while (next !== undefined) {
      const bytes = await next;
      at += bytes.length;
      turn ^= 1;
      const sent = body.flush(bytes);
      next = at < range.end ? read(turn === 0 ? buffers[0] : buffers[1], at) : undefined;
      // Whoever fails first is heard; the other must not bring the process down.
      next?.catch(() => undefined);
      await sent;
    }
  } finally {
    await next?.catch(() => undefined);
  }
}
