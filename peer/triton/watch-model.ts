/** Keeps a model current: looks at the store again and again. */
import { setTimeout as delay } from "node:timers/promises";
import { type Problem, problemOf } from "../../schema/problem.ts";
import type { LocalizedModel } from "./localize-model.ts";

export interface WatchOptions {
  readonly intervalMs: number;
  /** One look; `wasLoaded` once Triton was asked to load. */
  readonly look: (wasLoaded: boolean) => Promise<LocalizedModel>;
  readonly told: (result: LocalizedModel) => void;
  readonly failed: (problem: Problem, nextMs: number) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** After failures it looks less and less often: a model that Triton refuses is not fetched over and over. */
const MAX_FACTOR = 64;

/** Resolves when the signal aborts. @throws ProblemError `bad-request` for what no later look can mend */
export async function watchModel({ intervalMs, look, told, failed, signal }: WatchOptions): Promise<void> {
  let wasLoaded = false;
  let failures = 0;
  while (!signal.aborted) {
    const waitMs = intervalMs * Math.min(2 ** failures, MAX_FACTOR);
    try {
      const result = await look(wasLoaded);
      if (result.state === "changed" || result.loaded || !wasLoaded) told(result);
      wasLoaded = true;
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      const problem = problemOf(error);
      if (problem.code === "bad-request" || problem.code === "internal") throw error;
      failed(problem, waitMs);
      failures++;
      // The new state may be in its place already, and Triton not told.
      wasLoaded = false;
    }
    await delay(failures === 0 ? intervalMs : waitMs, undefined, { signal }).catch(() => undefined);
  }
}
