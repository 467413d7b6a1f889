/** Lets work under one key run one at a time, in the order it came. */
export class Turns {
  readonly #tails = new Map<string, Promise<void>>();

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#tails.get(key) ?? Promise.resolve()).then(work);
    const leave = () => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    };
    const tail: Promise<void> = result.then(leave, leave);
    this.#tails.set(key, tail);
    return result;
  }
}
