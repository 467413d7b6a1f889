/** One try at a request. It ends when the caller aborts, or when the source is silent for too long while we wait for
 *  it; a reader that takes its time does not count as silence. */
import { isProblemError, type ProblemError } from "../../schema/problem.ts";
import { sourceProblem, TransientError } from "./source-problem.ts";

/** Nothing is wrong but the pace. */
export class SlowError extends Error {
  override readonly name = "SlowError";
}

export class Attempt {
  readonly #caller: AbortSignal;
  readonly #stallTimeoutMs: number;
  readonly #displayUrl: string;
  readonly #controller = new AbortController();
  readonly #forward = () => this.#controller.abort(this.#caller.reason);
  #stalled = false;
  #slow = false;

  constructor(caller: AbortSignal, stallTimeoutMs: number, displayUrl: string) {
    caller.throwIfAborted();
    this.#caller = caller;
    this.#stallTimeoutMs = stallTimeoutMs;
    this.#displayUrl = displayUrl;
    caller.addEventListener("abort", this.#forward, { once: true });
  }

  /** For `fetch`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waits for a step of the request.
   *  @throws the caller's reason, a ProblemError, a TransientError for a broken or silent connection, or a SlowError. */
  async wait<Result>(step: Promise<Result>): Promise<Result> {
    const timer = setTimeout(() => {
      this.#stalled = true;
      this.#controller.abort();
    }, this.#stallTimeoutMs);
    try {
      return await step;
    } catch (error) {
      this.#caller.throwIfAborted();
      if (this.#slow) throw new SlowError();
      if (isProblemError(error) || error instanceof TransientError) throw error;
      throw this.#failure(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The connection brings so little that another may do better: what is waited for ends with a SlowError. */
  leave(): void {
    this.#slow = true;
    this.#controller.abort();
  }

  /** Closes the connection, unless the body was read to its end. */
  close(): void {
    this.#caller.removeEventListener("abort", this.#forward);
    this.#controller.abort();
  }

  #failure(error: unknown): ProblemError | TransientError {
    const code = error instanceof Error && "code" in error ? String(error.code).slice(0, 100) : "";
    const what = this.#stalled
      ? `the source sent nothing for ${this.#stallTimeoutMs / 1000} s`
      : `the connection to the source failed${code === "" ? "" : ` (${code})`}`;
    const distrusted = /CERT|VERIFY/i.test(code);
    const remedy = distrusted
      ? "Check its certificate; NODE_EXTRA_CA_CERTS names a file of further authorities"
      : "Check the address, and that this machine can reach it";
    const detail = code === "" ? {} : { cause: code };
    const problem = sourceProblem("source-unreachable", this.#displayUrl, what, remedy, detail);
    return distrusted ? problem : new TransientError(problem);
  }
}
