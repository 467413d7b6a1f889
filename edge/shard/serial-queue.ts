/** Runs one job after the other, in the order they came: nothing interleaves although jobs wait for the store. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();
  #jobs = 0;

  /** A job begins at once when there is no other, and otherwise when those before it have ended. One that fails rejects its
   *  own promise and nothing else. */
  run<Result>(job: () => Promise<Result>): Promise<Result> {
    const isFirst = this.#jobs++ === 0;
    const result = isFirst ? job() : this.#last.then(job);
    this.#last = result.then(this.#ended, this.#ended);
    return result;
  }

  #ended = (): void => {
    this.#jobs--;
  };
}
