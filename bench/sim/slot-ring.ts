/** Things that happen later, by slots of time: what is due in a slot is taken all at once, in the order it was put there. */
export class SlotRing<Item> {
  readonly #slots: Item[][];
  #now = 0;

  /** @param reach slots from now on that something can be put into */
  constructor(reach: number) {
    this.#slots = Array.from({ length: reach }, () => []);
  }

  /** At least one slot from now; later than the reach counts as the last slot within it. */
  put(item: Item, slotsFromNow: number): void {
    const ahead = Math.min(Math.max(1, Math.round(slotsFromNow)), this.#slots.length - 1);
    this.#slots[(this.#now + ahead) % this.#slots.length]?.push(item);
  }

  /** Moves to the next slot and takes what is due in it. */
  next(): Item[] {
    this.#now = (this.#now + 1) % this.#slots.length;
    const due = this.#slots[this.#now] ?? [];
    if (due.length > 0) this.#slots[this.#now] = [];
    return due;
  }
}
