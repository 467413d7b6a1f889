/** Content that is named by its digest is held against it on its way to the client. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { Digest } from "../../schema/digest.ts";
import { formatDigest } from "../../schema/digest.ts";
import type { TaskId } from "../../schema/ids.ts";
import { ProblemError } from "../../schema/problem.ts";
import type { StoredTask } from "../store/piece-store.ts";

const READ_BYTES = 1024 * 1024;
/** Ids remembered; the oldest goes first. */
const MAX_REMEMBERED = 10_000;

/** Which tasks were found to have the digest they are named by, and which were not, in the life of this process. What is
 *  right is so of the bytes that are here: removed, and fetched once more, they are looked at again. */
export class DigestCheck {
  readonly #right = new WeakSet<StoredTask>();
  readonly #wrong = new Set<TaskId>();
  readonly #underWay = new WeakMap<StoredTask, Promise<void>>();

  isRight(task: StoredTask): boolean {
    return this.#right.has(task);
  }

  isWrong(taskId: TaskId): boolean {
    return this.#wrong.has(taskId);
  }

  /** All of a task that is here; once, for all who ask meanwhile. @throws ProblemError `digest-mismatch`, and of the file */
  async file(task: StoredTask, digest: Digest): Promise<void> {
    if (this.isRight(task)) return;
    let reading = this.#underWay.get(task);
    if (reading === undefined) {
      const chunks = createReadStream(task.path, { highWaterMark: READ_BYTES });
      reading = drained(this.whole(task, digest, chunks)).finally(() => this.#underWay.delete(task));
      this.#underWay.set(task, reading);
    }
    await reading;
  }

  /** The same bytes, of which the last are given only when all of them have the digest.
   *  @throws ProblemError `digest-mismatch`, and what the chunks throw */
  async *whole(task: StoredTask, digest: Digest, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    // Registries have sha256 and sha512 alone.
    const hash = createHash(digest.algorithm);
    let last: Uint8Array | undefined;
    for await (const chunk of chunks) {
      if (last !== undefined) yield last;
      hash.update(chunk);
      last = chunk;
    }
    const hex = hash.digest("hex");
    if (hex !== digest.hex) {
      remember(this.#wrong, task.info.taskId);
      throw new ProblemError(
        "digest-mismatch",
        `Content named ${formatDigest(digest)} has the digest ${digest.algorithm}:${hex}: the registry, or whoever read it first, gave other bytes`,
      );
    }
    this.#right.add(task);
    if (last !== undefined) yield last;
  }
}

async function drained(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of chunks);
}

function remember(ids: Set<TaskId>, taskId: TaskId): void {
  ids.add(taskId);
  const oldest = ids.values().next();
  if (ids.size > MAX_REMEMBERED && !oldest.done) ids.delete(oldest.value);
}
