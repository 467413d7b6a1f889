/** What happened in a soak, counted. */

/** Failures told in full; the rest are only counted. */
const MAX_TOLD = 20;

export class Tally {
  /** What was done, by kind. */
  readonly #done = new Map<string, number>();
  readonly #told: string[] = [];
  #failed = 0;

  count(what: string): void {
    this.#done.set(what, (this.#done.get(what) ?? 0) + 1);
  }

  fail(what: string): void {
    this.#failed++;
    if (this.#told.length < MAX_TOLD) this.#told.push(what);
  }

  get failed(): number {
    return this.#failed;
  }

  /** The first failures. */
  get told(): readonly string[] {
    return this.#told;
  }

  /** `412 gets, 31 gets killed` */
  summary(): string {
    return [...this.#done].map(([what, count]) => `${count} ${what}`).join(", ");
  }
}
