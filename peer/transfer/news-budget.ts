/** How many waits for news of neighbours' pieces this process may have open at a time. */
export class NewsBudget {
  #free: number;

  constructor(size: number) {
    this.#free = size;
  }

  /** A place, to be disposed of afterwards, or `undefined` when all are taken. */
  take(): Disposable | undefined {
    if (this.#free === 0) return undefined;
    this.#free--;
    return { [Symbol.dispose]: () => void this.#free++ };
  }
}
