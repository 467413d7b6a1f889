/** How often and after which wait a failed try is repeated. */
import { ProblemError } from "../../schema/problem.ts";
import type { SourceIo } from "./source-io.ts";
import { TransientError } from "./source-problem.ts";

export class Retries {
  readonly #io: SourceIo;
  readonly #signal: AbortSignal;
  #failures = 0;

  constructor(io: SourceIo, signal: AbortSignal) {
    this.#io = io;
    this.#signal = signal;
  }

  /** Returns when it is time for the next try.
   *  @throws what went wrong, when no further try would mend it or there were enough of them. */
  async after(error: unknown): Promise<void> {
    if (!(error instanceof TransientError)) throw error;
    this.#failures++;
    if (this.#failures >= this.#io.policy.attempts) throw afterTries(error.problem, this.#failures);
    try {
      await this.#io.sleep(this.#delayMs(error), this.#signal);
    } catch (cause) {
      this.#signal.throwIfAborted();
      throw cause;
    }
  }

  /** The source gave something: failures before that do not count any more. */
  reset(): void {
    this.#failures = 0;
  }

  #delayMs({ retryAfterMs = 0, throttled }: TransientError): number {
    const { policy } = this.#io;
    const firstMs = throttled ? policy.firstThrottledDelayMs : policy.firstDelayMs;
    const maxMs = throttled ? policy.maxThrottledDelayMs : policy.maxDelayMs;
    const longest = Math.min(maxMs, firstMs * 2 ** (this.#failures - 1));
    const chosen = longest * (0.5 + this.#io.random() / 2);
    return Math.max(chosen, Math.min(retryAfterMs, policy.maxRetryAfterMs));
  }
}

function afterTries(problem: ProblemError, tries: number): ProblemError {
  if (tries === 1) return problem;
  return new ProblemError(problem.code, `${problem.message} (after ${tries} tries)`, {
    detail: { ...problem.detail, tries },
  });
}
