/** What all downloads of this host together may ask of other peers at a time. Who finds nothing left stands in line: a
 *  place that is given back goes to the first, so that every download gets its turn. */

export interface BudgetLimits {
  readonly requests: number;
  /** Asked for and not yet kept. */
  readonly bytes: number;
}

/** Tells one who waits that there may be room; also who it is. */
export type Wake = () => void;

export class RequestBudget {
  #limits: BudgetLimits;
  #requests = 0;
  #bytes = 0;
  readonly #line = new Set<Wake>();

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /** Takes effect at once; what is under way goes on. */
  set(limits: BudgetLimits): void {
    this.#limits = limits;
    this.#wakeFirst();
  }

  /** How many requests of so many bytes each `wake` may begin now: none while others came before. A single request is
   *  allowed whatever its length, or a task of huge pieces could never start. */
  spareFor(wake: Wake, bytes: number): number {
    const [first] = this.#line;
    if (first !== undefined && first !== wake) return 0;
    const byBytes = Math.floor((this.#limits.bytes - this.#bytes) / bytes);
    const fitting = this.#requests === 0 ? Math.max(1, byBytes) : byBytes;
    return Math.max(0, Math.min(this.#limits.requests - this.#requests, fitting));
  }

  /** A request begins; it ends when it is disposed of. */
  take(bytes: number): Disposable {
    this.#requests++;
    this.#bytes += bytes;
    return {
      [Symbol.dispose]: () => {
        this.#requests--;
        this.#bytes -= bytes;
        this.#wakeFirst();
      },
    };
  }

  /** Stands in line, at its end unless it does already. Whoever is woken calls `leave` when it had its turn. */
  wait(wake: Wake): void {
    this.#line.add(wake);
  }

  /** Needs nothing more for now. */
  leave(wake: Wake): void {
    this.#line.delete(wake);
    this.#wakeFirst();
  }

  #wakeFirst(): void {
    const [first] = this.#line;
    first?.();
  }
}
