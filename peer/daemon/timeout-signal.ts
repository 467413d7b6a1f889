import { ProblemError } from "../../schema/problem.ts";

/** Aborts with `timeout` after that time; never when it is 0. */
export function timeoutSignal(timeoutMs: number): AbortSignal {
  const controller = new AbortController();
  if (timeoutMs > 0) {
    const timer = setTimeout(() => {
      controller.abort(
        new ProblemError(
          "timeout",
          `Not complete after ${timeoutMs / 1000} s: run the same command again to go on from here, or give it more time with --timeout`,
        ),
      );
    }, timeoutMs);
    timer.unref?.();
  }
  return controller.signal;
}
