/** Most reads that one store bears at once, over all downloads of this host. Where more are wanted they wait: first who
 *  reads least for its task, then who came first, so that a task with many reads keeps nobody waiting for long. */
interface Waiter {
  readonly task: string;
  readonly admit: () => void;
}

class StoreReads {
  readonly activeByTask = new Map<string, number>();
  readonly waiters: Waiter[] = [];
  active = 0;
}

export class ReadBudget {
  readonly #limit: (store: string) => number;
  readonly #stores = new Map<string, StoreReads>();

  /** @param limit asked whenever a read begins or ends, since it may change */
  constructor(limit: (store: string) => number) {
    this.#limit = limit;
  }

  /** Waits for a place, and gives what returns it.
   *  @throws the reason of the signal */
  async enter(store: string, task: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const reads = this.#stores.get(store) ?? new StoreReads();
    this.#stores.set(store, reads);
    if (reads.active >= this.#limit(store) || reads.waiters.length > 0) await waitIn(reads, task, signal);
    else begin(reads, task);
    return () => this.#leave(store, reads, task);
  }

  #leave(store: string, reads: StoreReads, task: string): void {
    const left = (reads.activeByTask.get(task) ?? 1) - 1;
    if (left === 0) reads.activeByTask.delete(task);
    else reads.activeByTask.set(task, left);
    reads.active--;
    while (reads.active < this.#limit(store)) {
      const next = nextOf(reads);
      if (next === undefined) break;
      begin(reads, next.task);
      next.admit();
    }
    if (reads.active === 0 && reads.waiters.length === 0) this.#stores.delete(store);
  }
}

async function waitIn(reads: StoreReads, task: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const waiter = { task, admit: resolve };
  const giveUp = () => {
    const at = reads.waiters.indexOf(waiter);
    if (at === -1) return;
    reads.waiters.splice(at, 1);
    reject(signal.reason);
  };
  reads.waiters.push(waiter);
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

function begin(reads: StoreReads, task: string): void {
  reads.active++;
  reads.activeByTask.set(task, (reads.activeByTask.get(task) ?? 0) + 1);
}

function nextOf(reads: StoreReads): Waiter | undefined {
  const activeOf = ({ task }: Waiter) => reads.activeByTask.get(task) ?? 0;
  const fewest = Math.min(...reads.waiters.map(activeOf));
  const at = reads.waiters.findIndex((waiter) => activeOf(waiter) === fewest);
  return at === -1 ? undefined : reads.waiters.splice(at, 1)[0];
}
