/** What each store is asked to bear: most reads at once, and most bytes a second, over all downloads of this host. */
import { pacedChunks } from "../limits/paced-chunks.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import { ReadBudget } from "./read-budget.ts";
import type { Source, SourceReadOptions } from "./source.ts";
import type { StoreRule } from "./store-rule.ts";

const UNLIMITED = Number.POSITIVE_INFINITY;

export interface StoreBudgetsOptions {
  /** Of a store whose rule says nothing. */
  readonly readsPerStore: number;
  /** Never set back. */
  readonly nowMs: () => number;
}

/** One store while it is being read. */
interface StoreInUse {
  readonly rate: RateLimit;
  /** The rule as it is now: it may change while a read goes on. */
  readonly rule: () => StoreRule | undefined;
  readers: number;
}

export class StoreBudgets {
  readonly #options: StoreBudgetsOptions;
  readonly #reads: ReadBudget;
  /** By the prefix of their rule, or by host where no rule says anything. */
  readonly #inUse = new Map<string, StoreInUse>();

  constructor(options: StoreBudgetsOptions) {
    this.#options = options;
    this.#reads = new ReadBudget((name) => this.#inUse.get(name)?.rule()?.reads ?? options.readsPerStore);
  }

  /** Reads within the budget of its store. What is asked about it besides goes at once: such requests are small, and people
   *  wait for them.
   *  @param rule asked with every chunk: it must cost nothing */
  within(source: Source, rule: () => StoreRule | undefined): Source {
    const host = /^[a-z0-9+.-]+:\/\/([^/]*)/i.exec(source.location)?.[1] ?? "";
    const name = rule()?.prefix ?? host;
    return {
      location: source.location,
      displayUrl: source.displayUrl,
      get portableRequest() {
        return source.portableRequest;
      },
      stat: (signal) => source.stat(signal),
      read: (range, options) => this.#read({ name, rule }, source, range, options),
    };
  }

  async *#read(
    { name, rule }: { readonly name: string; readonly rule: () => StoreRule | undefined },
    source: Source,
    range: Parameters<Source["read"]>[0],
    options: SourceReadOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const store = this.#inUse.get(name) ?? {
      rate: new RateLimit(ratesOf(rule()), this.#options.nowMs),
      rule,
      readers: 0,
    };
    this.#inUse.set(name, store);
    store.readers++;
    let leave: (() => void) | undefined;
    try {
      let rate = rule()?.rate;
      store.rate.set(ratesOf(rule()));
      leave = await this.#reads.enter(name, source.location, options.signal);
      const paced = { taskId: source.location, limits: [store.rate], signal: options.signal };
      for await (const chunk of pacedChunks(source.read(range, options), paced)) {
        yield chunk;
        if (rule()?.rate === rate) continue;
        rate = rule()?.rate;
        store.rate.set(ratesOf(rule()));
      }
    } finally {
      leave?.();
      if (--store.readers === 0) this.#inUse.delete(name);
    }
  }
}

function ratesOf(rule: StoreRule | undefined) {
  return { hostBps: rule?.rate ?? UNLIMITED, taskBps: UNLIMITED };
}
