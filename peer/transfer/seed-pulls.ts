/** Takes part in tasks as a seed, because children say where their sources are. */

import type { TaskId } from "../../schema/ids.ts";
import type { Log } from "../../schema/log.ts";
import { ProblemError, problemOf } from "../../schema/problem.ts";
import type { SourceRequest } from "../../schema/wire/pull.ts";
import type { SourceGuard } from "../source/source.ts";
import type { Transfers } from "./transfers.ts";

export interface SeedPullsComponents {
  readonly transfers: Transfers;
  /** Refuses URLs that this host must not read on behalf of others. @throws ProblemError `forbidden` */
  readonly guard: SourceGuard;
  readonly log: Log;
}

/** Pulls a seed works on at the same time; more are told to come back. */
const MAX_PULLS = 64;

export class SeedPulls {
  readonly #components: SeedPullsComponents;
  readonly #pulls = new Map<TaskId, Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(components: SeedPullsComponents) {
    this.#components = components;
  }

  /** Resolves once the source has answered; the download goes on. @throws ProblemError as `Transfers.open`; also
   *  `task-mismatch` when the source holds something else, and `too-many-requests` */
  async pull(taskId: TaskId, request: SourceRequest): Promise<void> {
    const known = this.#components.transfers.get(taskId);
    if (known !== undefined && (known.running || known.task.complete)) return;
    const underWay = this.#pulls.get(taskId);
    if (underWay !== undefined) return await underWay;
    if (this.#pulls.size >= MAX_PULLS)
      throw new ProblemError("too-many-requests", "This seed is opening many tasks already: ask again in a second");
    const pull = this.#begin(taskId, request).finally(() => this.#pulls.delete(taskId));
    this.#pulls.set(taskId, pull);
    await pull;
  }

  close(): void {
    this.#stopping.abort(new ProblemError("cancelled", "This peer is shutting down"));
  }

  async #begin(taskId: TaskId, request: SourceRequest): Promise<void> {
    const { transfers, guard, log } = this.#components;
    const { signal } = this.#stopping;
    const opened = await transfers.open(request, signal, { guard, onBehalf: true, taskId });
    opened.peer
      .complete(opened.source, opened.stat, signal)
      .catch((error: unknown) => log("warn", "pull.failed", { task: taskId, problem: problemOf(error).message }))
      .finally(() => opened[Symbol.dispose]());
  }
}
