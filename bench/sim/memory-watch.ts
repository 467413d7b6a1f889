/** Collects garbage before it takes much more memory than what lives. The engine lets a heap double first, and never moves what
 *  lives: a hundred thousand hosts, which come within moments, would lie scattered in several times the memory they need. */

/** The engine is left alone with less. */
const MUCH_BYTES = 2 ** 29;
const GROWTH = 1.25;
/** Things that happen from look to look: so many leave some 50 MB. */
const HAPPENINGS = 2 ** 15;

export class MemoryWatch {
  #happenings = 0;
  /** The least since it was collected: memory goes back to the system a while after. */
  #leastBytes = Number.POSITIVE_INFINITY;

  /** To be told of everything that happens. */
  note(): void {
    if (++this.#happenings % HAPPENINGS !== 0) return;
    const bytes = process.memoryUsage.rss();
    this.#leastBytes = Math.min(this.#leastBytes, bytes);
    if (bytes < Math.max(MUCH_BYTES, GROWTH * this.#leastBytes)) return;
    Bun.gc(true);
    this.#leastBytes = process.memoryUsage.rss();
  }
}
