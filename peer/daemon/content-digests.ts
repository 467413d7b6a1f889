/** Digests of whole tasks, worked out once for each algorithm and version of the file. */
import { type Digest, type DigestAlgorithm, formatDigest } from "../../schema/digest.ts";
import type { TaskId } from "../../schema/ids.ts";
import { ProblemError } from "../../schema/problem.ts";
import { hashFile } from "../store/hash.ts";
import type { StoredTask } from "../store/piece-store.ts";
import { unlessAborted } from "../transfer/unless-aborted.ts";

/** Results kept; the oldest goes first. */
const MAX_KEPT = 1000;

interface Reading {
  readonly digest: Promise<string>;
  readonly stop: AbortController;
  /** Callers that wait for it. */
  waiting: number;
  done: boolean;
}

export class ContentDigests {
  readonly #kept = new Map<string, Reading>();

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

  /** Callers share one reading; it is cut off when the last of them has gone. */
  async #digestOf(task: StoredTask, algorithm: DigestAlgorithm, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const key = `${task.info.taskId} ${algorithm}`;
    const reading = this.#kept.get(key) ?? this.#read(key, task, algorithm);
    reading.waiting++;
    try {
      return await unlessAborted(reading.digest, signal);
    } finally {
      reading.waiting--;
      if (reading.waiting === 0 && !reading.done) {
        // Who comes now must not wait for what is being cut off.
        this.#kept.delete(key);
        reading.stop.abort();
      }
    }
  }

  #read(key: string, task: StoredTask, algorithm: DigestAlgorithm): Reading {
    const stop = new AbortController();
    const digest = hashFile(task.path, algorithm, { signal: stop.signal });
    const reading: Reading = { digest, stop, waiting: 0, done: false };
    this.#kept.set(key, reading);
    digest.then(
      () => {
        reading.done = true;
      },
      // A reading that failed says nothing about the next.
      () => {
        if (this.#kept.get(key) === reading) this.#kept.delete(key);
      },
    );
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > MAX_KEPT && !oldest.done) this.#kept.delete(oldest.value);
    return reading;
  }
}
