/** Runs one job after the other, in the order they came: nothing interleaves although jobs wait for the store. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** A job that fails rejects its own promise and nothing else. */
  run<Result>(job: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(job);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
