import { ProblemError } from "../../schema/problem.ts";

/** A signal that aborts with `timeout` after some time, never when that is 0, nor once it is disposed of. */
export class TimeLimit implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeoutMs: number) {
    if (timeoutMs === 0) return;
    const message = `Not complete after ${timeoutMs / 1000} s: run the same command again to go on from here, or give it more time with --timeout`;
    this.#timer = setTimeout(() => this.#controller.abort(new ProblemError("timeout", message)), timeoutMs);
    this.#timer.unref?.();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
