/** Digests of whole tasks, worked out once for each algorithm and version of the file. */
import { type Digest, type DigestAlgorithm, formatDigest } from "../../schema/digest.ts";
import type { TaskId } from "../../schema/ids.ts";
import { ProblemError } from "../../schema/problem.ts";
import { hashFile } from "../store/hash.ts";
import type { StoredTask } from "../store/piece-store.ts";

/** Results kept; the oldest goes first. */
const MAX_KEPT = 1000;

export class ContentDigests {
  #kept = new Map<string, Promise<string>>();

  /** @throws ProblemError `digest-mismatch` */
  async check(task: StoredTask, expected: Digest, signal: AbortSignal): Promise<void> {
    const hex = await this.#digestOf(task, expected.algorithm, signal);
    if (hex === expected.hex) return;
    const actual = formatDigest({ algorithm: expected.algorithm, hex });
    throw new ProblemError(
      "digest-mismatch",
      `${task.info.url} has the digest ${actual}, not ${formatDigest(expected)}: check the digest, or whether the source holds what you expect`,
      {
        detail: { expected: formatDigest(expected), actual },
      },
    );
  }

  forget(taskId: TaskId): void {
    for (const key of this.#kept.keys()) if (key.startsWith(taskId)) this.#kept.delete(key);
  }

  async #digestOf(task: StoredTask, algorithm: DigestAlgorithm, signal: AbortSignal): Promise<string> {
    const key = `${task.info.taskId} ${algorithm}`;
    const known = this.#kept.get(key);
    if (known !== undefined) return await known;
    const digest = hashFile(task.path, algorithm, { signal });
    this.#kept.set(key, digest);
    // A reading that was cut off says nothing about the next.
    digest.catch(() => this.#kept.delete(key));
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > MAX_KEPT && !oldest.done) this.#kept.delete(oldest.value);
    return await digest;
  }
}
