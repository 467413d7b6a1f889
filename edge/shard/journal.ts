/** Writes what memory decided. Memory is ahead of the directory: a write that fails is kept and tried again, and the shard
 *  goes on meanwhile. */
import type { Log } from "../../schema/log.ts";
import type { Change } from "../core/change.ts";
import { NEVER_MS } from "../core/swarm.ts";
import { type Directory, isOutage } from "../store/directory.ts";

const RETRY_MS = 1000;
/** Rows that wait for a directory that fails; hosts state again what is dropped beyond. */
const MAX_UNWRITTEN = 16_384;

export interface JournalComponents {
  readonly directory: Directory;
  readonly nowMs: () => number;
  readonly log: Log;
}

export class Journal {
  rowsWritten = 0;
  /** When to try again what failed; `NEVER_MS` while nothing did. */
  retryAtMs = NEVER_MS;
  #components: JournalComponents;
  /** By row: the newest state of each. */
  #unwritten = new Map<string, Change>();

  constructor(components: JournalComponents) {
    this.#components = components;
  }

  /** Whether the directory lacks something. */
  get isBehind(): boolean {
    return this.#unwritten.size > 0;
  }

  async write(changes: readonly Change[]): Promise<void> {
    for (const change of changes) {
      const row = rowOf(change);
      // Deleted first, so that rows stay in the order of their last change.
      this.#unwritten.delete(row);
      this.#unwritten.set(row, change);
    }
    const { directory, nowMs, log } = this.#components;
    if (this.#unwritten.size === 0 || (this.retryAtMs !== NEVER_MS && nowMs() < this.retryAtMs)) return;
    try {
      await directory.apply([...this.#unwritten.values()]);
      this.rowsWritten += this.#unwritten.size;
      this.#unwritten.clear();
      this.retryAtMs = NEVER_MS;
    } catch (error) {
      // One line for all that fails until a write succeeds.
      if (this.retryAtMs === NEVER_MS && !isOutage(error)) {
        log("warn", "directory.failed", { rows: this.#unwritten.size, error: reasonOf(error) });
      }
      this.retryAtMs = nowMs() + RETRY_MS;
      this.#dropOldest();
    }
  }

  #dropOldest(): void {
    for (const row of this.#unwritten.keys()) {
      if (this.#unwritten.size <= MAX_UNWRITTEN) return;
      this.#unwritten.delete(row);
    }
  }
}

/** Beneath the statement, which is long, and full of bytes. */
function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? reasonOf(error.cause) : String(error);
}

function rowOf(change: Change): string {
  switch (change.kind) {
    case "put-host":
      return `host ${change.host.info.hostId}`;
    case "remove-host":
      return `host ${change.hostId}`;
    case "put-task":
      return `task ${change.task.info.taskId}`;
    case "remove-task":
      return `task ${change.taskId}`;
    case "put-peers":
      return `peers ${change.pack.taskId} ${change.pack.pack}`;
    case "put-digests":
      return `digests ${change.chunk.taskId} ${change.chunk.chunk}`;
  }
}
