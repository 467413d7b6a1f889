/** Content that is named by its digest is held against it on its way to the client. */
import { createHash } from "node:crypto";
import type { Digest } from "../../schema/digest.ts";
import { formatDigest } from "../../schema/digest.ts";
import type { TaskId } from "../../schema/ids.ts";
import { ProblemError } from "../../schema/problem.ts";

/** Ids remembered; the oldest goes first. */
const MAX_REMEMBERED = 10_000;

/** Which tasks were found to have the digest they are named by, and which were not, in the life of this process. */
export class DigestCheck {
  readonly #right = new Set<TaskId>();
  readonly #wrong = new Set<TaskId>();

  isRight(taskId: TaskId): boolean {
    return this.#right.has(taskId);
  }

  isWrong(taskId: TaskId): boolean {
    return this.#wrong.has(taskId);
  }

  /** The same bytes, of which the last are given only when all of them have the digest.
   *  @throws ProblemError `digest-mismatch`, and what the chunks throw */
  async *whole(taskId: TaskId, digest: Digest, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
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
      remember(this.#wrong, taskId);
      throw new ProblemError(
        "digest-mismatch",
        `Content named ${formatDigest(digest)} has the digest ${digest.algorithm}:${hex}: the registry, or whoever read it first, gave other bytes`,
      );
    }
    remember(this.#right, taskId);
    if (last !== undefined) yield last;
  }
}

function remember(ids: Set<TaskId>, taskId: TaskId): void {
  ids.add(taskId);
  const oldest = ids.values().next();
  if (ids.size > MAX_REMEMBERED && !oldest.done) ids.delete(oldest.value);
}
