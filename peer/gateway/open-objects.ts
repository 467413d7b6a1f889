/** Objects as tasks. A client that reads one in many ranges asks the store for it once in a while, not for each of them. */
import type { SourceRequest } from "../../schema/wire/pull.ts";
import type { OpenedTask, Transfers } from "../transfer/transfers.ts";
import { SharedAnswers } from "./shared-answers.ts";

/** Everything of an opened task but the hold on it. */
type KnownTask = Pick<OpenedTask, "peer" | "source" | "stat">;

const MAX_OBJECTS = 1024;

export class OpenObjects {
  readonly #transfers: Pick<Transfers, "open" | "get">;
  readonly #shareMs: () => number;
  readonly #known = new SharedAnswers<KnownTask>({ maxAnswers: MAX_OBJECTS, maxSize: MAX_OBJECTS, sizeOf: () => 1 });

  /** `shareMs` is how long what the store said of an object is believed by those who read ranges of it. */
  constructor(transfers: Pick<Transfers, "open" | "get">, shareMs: () => number) {
    this.#transfers = transfers;
    this.#shareMs = shareMs;
  }

  /** Asks the store. @throws ProblemError see `Transfers.open` */
  async open(request: SourceRequest, signal: AbortSignal): Promise<OpenedTask> {
    const opened = await this.#transfers.open(request, signal);
    this.#known.put(keyOf(request), this.#shareMs(), known(opened));
    return opened;
  }

  /** The same, or what the store said a moment ago. @throws ProblemError see `Transfers.open` */
  async openShared(request: SourceRequest, signal: AbortSignal): Promise<OpenedTask> {
    const task = await this.#known.get(keyOf(request), this.#shareMs(), signal, async () => {
      // Nobody's signal: others may wait for the same answer.
      using opened = await this.#transfers.open(request, new AbortController().signal);
      return known(opened);
    });
    const pin = task.peer.task.pin();
    // It may have been removed since.
    if (this.#transfers.get(task.peer.taskId) === task.peer) {
      return { ...task, [Symbol.dispose]: () => pin[Symbol.dispose]() };
    }
    pin[Symbol.dispose]();
    return await this.open(request, signal);
  }

  /** What was known of it turned out to be wrong. */
  forget(request: SourceRequest): void {
    this.#known.forget(keyOf(request));
  }
}

function known({ peer, source, stat }: KnownTask): KnownTask {
  return { peer, source, stat };
}

function keyOf(request: SourceRequest): string {
  return JSON.stringify(request);
}
