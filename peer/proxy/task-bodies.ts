/** The bytes of tasks, on their way to clients. */
import type { ByteRange } from "../../schema/byte-range.ts";
import type { Digest } from "../../schema/digest.ts";
import type { Log } from "../../schema/log.ts";
import { isProblemError, problemOf } from "../../schema/problem.ts";
import { readContent } from "../transfer/read-content.ts";
import type { OpenedTask, Transfers } from "../transfer/transfers.ts";
import type { BodyWriter } from "./body-writer.ts";
import { DigestCheck } from "./digest-check.ts";
import { sendFile } from "./send-file.ts";

/** A download that has given its last byte ends within a moment. */
const FORGET_WAIT_MS = 10_000;

export class TaskBodies {
  readonly #transfers: Pick<Transfers, "remove">;
  readonly #log: Log;
  readonly #digests = new DigestCheck();

  constructor(transfers: Pick<Transfers, "remove">, log: Log) {
    this.#transfers = transfers;
    this.#log = log;
  }

  /** Whether what the cluster has under a digest was found to be something else. @param isPart whether a part is asked
   *  for, which cannot be held against the digest: so the whole is, first, when it is here */
  async isWrong(opened: OpenedTask, digest: Digest | undefined, isPart: boolean): Promise<boolean> {
    const { task, taskId } = opened.peer;
    if (digest === undefined || !isPart || !task.complete) return this.isKnownWrong(taskId);
    try {
      await this.#digests.file(task, digest);
    } catch (error) {
      if (!isMismatch(error)) throw error;
      void this.#forget(opened);
    }
    return this.isKnownWrong(taskId);
  }

  /** The same, as far as it is known. */
  isKnownWrong(taskId: OpenedTask["peer"]["taskId"]): boolean {
    return this.#digests.isWrong(taskId);
  }

  /** @param digest what the whole is named by @throws ProblemError `digest-mismatch` before the last byte of a whole, and others */
  async send(opened: OpenedTask, digest: Digest | undefined, range: ByteRange, body: BodyWriter): Promise<void> {
    const { task } = opened.peer;
    const isWhole = range.start === 0 && range.end === task.info.sizeBytes;
    const unchecked = isWhole && !this.#digests.isRight(task) ? digest : undefined;
    try {
      if (task.complete && unchecked === undefined) await sendFile(task.path, range, body);
      else for await (const bytes of this.#read(opened, range, body, unchecked)) await body.write(bytes);
    } catch (error) {
      if (isMismatch(error)) void this.#forget(opened);
      throw error;
    }
  }

  #read(opened: OpenedTask, range: ByteRange, body: BodyWriter, unchecked: Digest | undefined) {
    const content = range.start < range.end ? readContent(opened, range, body.signal) : nothing();
    return unchecked === undefined ? content : this.#digests.whole(opened.peer.task, unchecked, content);
  }

  /** Wrong bytes are not kept, nor offered to others. The last of them may still be on their way to the disk. */
  async #forget(opened: OpenedTask): Promise<void> {
    const { peer, source, stat } = opened;
    const { taskId } = peer;
    try {
      await peer.complete(source, stat, AbortSignal.timeout(FORGET_WAIT_MS)).catch(() => undefined);
      opened[Symbol.dispose]();
      await this.#transfers.remove(taskId);
    } catch (error) {
      // Somebody else reads it; nobody is given it as a whole any more.
      this.#log("warn", "proxy.wrong-bytes", { task: taskId, problem: problemOf(error).message });
    }
  }
}

function isMismatch(error: unknown): boolean {
  return isProblemError(error) && error.code === "digest-mismatch";
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An empty file has no pieces to read.
}
