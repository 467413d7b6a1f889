/** Counts changes of something, and lets others wait for the next. */
export class Changes {
  readonly #waiters = new Set<{ readonly since: number; readonly wake: () => void }>();
  #version = 0;

  get version(): number {
    return this.#version;
  }

  /** What happened so far was no change: counting begins now. */
  startCounting(): void {
    this.#version = 0;
  }

  /** Something changed. */
  note(): void {
    this.#version++;
    for (const waiter of this.#waiters) if (this.#version > waiter.since) waiter.wake();
  }

  /** Resolves once `version` is above `since`, or after `waitMs`, or when the signal aborts; never rejects. */
  after(since: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#version > since || waitMs <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        this.#waiters.delete(waiter);
        resolve();
      };
      const waiter = { since, wake };
      const timer = setTimeout(wake, waitMs);
      signal?.addEventListener("abort", wake);
      this.#waiters.add(waiter);
    });
  }

  /** Ends all waiting, changed or not. */
  wakeAll(): void {
    for (const waiter of this.#waiters) waiter.wake();
  }
}
