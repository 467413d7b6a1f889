/** Answers of stores that everybody who asks the same shares: one question under way, and its answer for a moment after. */
import { LRUCache } from "lru-cache";
import { unlessAborted } from "../transfer/unless-aborted.ts";

export interface SharedAnswersOptions<Answer> {
  readonly maxAnswers: number;
  /** Of all answers together, in the unit of `sizeOf`. */
  readonly maxSize: number;
  /** From 1. */
  readonly sizeOf: (answer: Answer) => number;
}

interface Question<Answer> {
  readonly ask: () => Promise<Answer>;
}

export class SharedAnswers<Answer extends object> {
  readonly #cache: LRUCache<string, Answer, Question<Answer>>;

  constructor({ maxAnswers, maxSize, sizeOf }: SharedAnswersOptions<Answer>) {
    this.#cache = new LRUCache<string, Answer, Question<Answer>>({
      max: maxAnswers,
      maxSize,
      sizeCalculation: sizeOf,
      // Those who wait get their answer also when nothing of it is kept.
      ignoreFetchAbort: true,
      fetchMethod: (_key, _stale, { context }) => context.ask(),
    });
  }

  /** With `shareMs` 0 everybody asks alone. @throws what `ask` throws, which is not kept, or the signal's reason */
  async get(key: string, shareMs: number, signal: AbortSignal, ask: () => Promise<Answer>): Promise<Answer> {
    const answer = shareMs === 0 ? ask() : this.#cache.forceFetch(key, { ttl: shareMs, context: { ask } });
    return await unlessAborted(answer, signal);
  }

  /** Shares an answer that somebody asked for alone. */
  put(key: string, shareMs: number, answer: Answer): void {
    if (shareMs > 0) this.#cache.set(key, answer, { ttl: shareMs });
  }

  forget(key: string): void {
    this.#cache.delete(key);
  }
}
