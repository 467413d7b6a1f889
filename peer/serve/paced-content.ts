import { open } from "node:fs/promises";
import type { ByteRange } from "../../schema/byte-range.ts";
import { ProblemError } from "../../schema/problem.ts";
import type { RateLimit } from "../limits/rate-limit.ts";
import { readFully } from "../store/file-io.ts";
import type { StoredTask } from "../store/piece-store.ts";
import { holdsRange } from "./holds-range.ts";

export interface PacedContentOptions {
  readonly limit: RateLimit;
  /** The child has gone. */
  readonly signal: AbortSignal;
  /** So many bytes more are sent. */
  readonly sent: (bytes: number) => void;
}

/** Bytes of verified pieces, as fast as the limit lets them go. Holds one grain at a time, however slow the child is. A
 *  task that is removed before the first of them breaks the stream off. */
export function pacedContent(
  task: StoredTask,
  range: ByteRange,
  options: PacedContentOptions,
): ReadableStream<Uint8Array> {
  const grains = grainsOf(task, range, options);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await grains.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      async cancel() {
        await grains.return();
      },
    },
    { highWaterMark: 0 },
  );
}

async function* grainsOf(
  task: StoredTask,
  range: ByteRange,
  { limit, signal, sent }: PacedContentOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  await using file = await open(task.path);
  // Another task of the same name may have taken its place while it was opened; from now on what is open stays.
  if (!holdsRange(task, range)) throw new ProblemError("not-found", `Task ${task.info.taskId} was removed`);
  for (let at = range.start; at < range.end; ) {
    const bytes = new Uint8Array(Math.min(limit.grainBytes, range.end - at));
    await limit.take(task.info.taskId, bytes.length, signal);
    await readFully(file.fd, bytes, at);
    at += bytes.length;
    sent(bytes.length);
    yield bytes;
  }
}
