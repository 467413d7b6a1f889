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

/** One store as its budget sees it. */
interface BudgetedStore {
  /** The rule's prefix, or the host where no rule says anything. */
  readonly name: string;
  /** The rule as it is now: it may change while a read goes on. */
  readonly rule: () => StoreRule | undefined;
}

export class StoreBudgets {
  readonly #options: StoreBudgetsOptions;
  readonly #reads: ReadBudget;
  readonly #stores = new Map<string, BudgetedStore>();
  readonly #rates = new Map<string, RateLimit>();

  constructor(options: StoreBudgetsOptions) {
    this.#options = options;
    this.#reads = new ReadBudget((name) => this.#stores.get(name)?.rule()?.reads ?? options.readsPerStore);
  }

  /** Reads within the budget of its store. What is asked about it besides goes at once: such requests are small, and people
   *  wait for them. */
  within(source: Source, rule: () => StoreRule | undefined): Source {
    const host = /^[a-z0-9+.-]+:\/\/([^/]*)/i.exec(source.location)?.[1] ?? "";
    const store: BudgetedStore = { name: rule()?.prefix ?? host, rule };
    return {
      location: source.location,
      displayUrl: source.displayUrl,
      get portableRequest() {
        return source.portableRequest;
      },
      stat: (signal) => source.stat(signal),
      read: (range, options) => this.#read(store, source, range, options),
    };
  }

  async *#read(
    store: BudgetedStore,
    source: Source,
    range: Parameters<Source["read"]>[0],
    options: SourceReadOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    // Set anew, so that the limit is the one of today's rule.
    this.#stores.set(store.name, store);
    const rate = this.#rateOf(store);
    const leave = await this.#reads.enter(store.name, source.location, options.signal);
    try {
      const paced = { taskId: source.location, limits: [rate], signal: options.signal };
      for await (const chunk of pacedChunks(source.read(range, options), paced)) {
        yield chunk;
        this.#rateOf(store);
      }
    } finally {
      leave();
    }
  }

  #rateOf(store: BudgetedStore): RateLimit {
    const rates = { hostBps: store.rule()?.rate ?? UNLIMITED, taskBps: UNLIMITED };
    const known = this.#rates.get(store.name);
    if (known !== undefined) {
      known.set(rates);
      return known;
    }
    const rate = new RateLimit(rates, this.#options.nowMs);
    this.#rates.set(store.name, rate);
    return rate;
  }
}
