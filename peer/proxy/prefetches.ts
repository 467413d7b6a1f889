/** The rest of tasks of which a client asked for a part. */
import type { Log } from "../../schema/log.ts";
import { problemOf } from "../../schema/problem.ts";
import type { OpenedTask } from "../transfer/transfers.ts";

/** Under way at the same time; what comes beyond is not prefetched. */
const MAX_PREFETCHES = 64;

export class Prefetches {
  readonly #log: Log;
  readonly #closing = new AbortController();
  readonly #underWay = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Goes on when the client has gone. */
  start({ peer, source, stat }: OpenedTask): void {
    const { taskId, task } = peer;
    if (task.complete || this.#underWay.has(taskId) || this.#underWay.size >= MAX_PREFETCHES) return;
    this.#underWay.add(taskId);
    peer
      .complete(source, stat, this.#closing.signal)
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted) {
          this.#log("warn", "proxy.prefetch-failed", { task: taskId, problem: problemOf(error).message });
        }
      })
      .finally(() => this.#underWay.delete(taskId));
  }

  close(): void {
    this.#closing.abort(new Error("the proxy is closing"));
  }
}
