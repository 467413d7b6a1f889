/** Runs one job after the other, in the order they came: nothing interleaves although jobs may wait for the store. */
export class SerialQueue {
  #busy = false;
  readonly #waiting: (() => Promise<void>)[] = [];

  /** A job begins at once when there is no other, and otherwise when those before it have ended; one that waits for nothing
   *  gives its result without a promise then. One that fails throws, or rejects its own promise, and nothing else. */
  run<Result>(job: () => Result): Result | Promise<Awaited<Result>> {
    if (this.#busy) return this.#runLater(job);
    this.#busy = true;
    let result: Result | undefined;
    try {
      result = job();
      return result;
    } finally {
      if (result instanceof Promise) result.then(this.#next, this.#next);
      else this.#next();
    }
  }

  #runLater<Result>(job: () => Result): Promise<Awaited<Result>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(async () => {
        try {
          resolve(await job());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #next = (): void => {
    const job = this.#waiting.shift();
    if (job === undefined) this.#busy = false;
    else void job().then(this.#next);
  };
}
