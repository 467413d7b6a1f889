const FIRST_MS = 250;
const LONGEST_MS = 15_000;

/** Wait before attempt `failures + 1`: doubles from 250 ms to 15 s, spread over its upper half by `random` in [0, 1), so
 *  that a fleet which lost its scheduler together does not come back together. */
export function backoffMs(failures: number, random: number): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 16));
  return whole / 2 + (whole / 2) * random;
}
