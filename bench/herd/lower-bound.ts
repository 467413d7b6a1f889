/** The least time in which any system could do it: Kumar and Ross, "Peer-Assisted File Distribution" (2006). */

export interface Links {
  readonly sourceBps: number;
  /** Of each host that wants the file, both directions. */
  readonly hostsBps: readonly number[];
  /** Of each host that only helps: a seed. */
  readonly seedsBps?: readonly number[];
}

/** Bytes a second of so many Mbit a second. */
export function bpsOfMbit(mbit: number): number {
  return (mbit * 1e6) / 8;
}

/** `max(F/u_s, F/d_min, N F/(u_s + sum u_i))` in seconds, at rates in bytes a second. */
export function lowerBoundSeconds(sizeBytes: number, { sourceBps, hostsBps, seedsBps = [] }: Links): number {
  const uploads = [...hostsBps, ...seedsBps].reduce((sum, bps) => sum + bps, sourceBps);
  return Math.max(sizeBytes / sourceBps, sizeBytes / Math.min(...hostsBps), (hostsBps.length * sizeBytes) / uploads);
}
