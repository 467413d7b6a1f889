/** Statistics of repeated runs. */

/** Which way a figure is good. */
export type Better = "higher" | "lower";

/** The middle value, or the mean of the two in the middle. @throws RangeError without values */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  const lower = sorted[sorted.length % 2 === 0 ? middle - 1 : middle];
  if (upper === undefined || lower === undefined) throw new RangeError("There is no median of nothing");
  return (lower + upper) / 2;
}

/** @throws RangeError without values */
export function worstOf(values: readonly number[], better: Better): number {
  if (values.length === 0) throw new RangeError("There is no worst of nothing");
  return better === "higher" ? Math.min(...values) : Math.max(...values);
}

/** Distance of the extremes as a share of the median; 0 for one value. Runs on a busy machine have a wide one. */
export function spreadOf(values: readonly number[]): number {
  const middle = medianOf(values);
  return middle === 0 ? 0 : (Math.max(...values) - Math.min(...values)) / Math.abs(middle);
}
