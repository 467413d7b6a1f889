export type Pair = readonly [name: string, value: string];

/** Names and values in the order that signatures want. */
export function sortedByName(pairs: Iterable<Pair>): Pair[] {
  return [...pairs].toSorted(([one], [other]) => {
    if (one === other) return 0;
    return one < other ? -1 : 1;
  });
}
