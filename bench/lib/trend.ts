/** Whether something grows with time: the slope test of the soak. */

export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

export interface Trend {
  /** Least squares slope, in units of the value an hour. */
  readonly perHour: number;
  /** Its standard error. Samples that follow each other are alike, so the true one is larger. */
  readonly errorPerHour: number;
  readonly sampleCount: number;
}

const HOUR_MS = 3_600_000;

/** Slope over all but the first quarter of the time, in which caches fill and code warms up; 0 with an endless error
 *  for fewer than three samples, which say nothing. */
export function trendOf(samples: readonly Sample[]): Trend {
  const firstMs = Math.min(...samples.map(({ atMs }) => atMs));
  const lastMs = Math.max(...samples.map(({ atMs }) => atMs));
  const kept = samples.filter(({ atMs }) => atMs >= firstMs + (lastMs - firstMs) / 4);
  const count = kept.length;
  const meanAt = kept.reduce((sum, { atMs }) => sum + atMs, 0) / count;
  const meanValue = kept.reduce((sum, { value }) => sum + value, 0) / count;
  const width = kept.reduce((sum, { atMs }) => sum + (atMs - meanAt) ** 2, 0);
  if (count < 3 || width === 0) return { perHour: 0, errorPerHour: Number.POSITIVE_INFINITY, sampleCount: count };
  const slope = kept.reduce((sum, { atMs, value }) => sum + (atMs - meanAt) * (value - meanValue), 0) / width;
  const residual = kept.reduce((sum, { atMs, value }) => sum + (value - meanValue - slope * (atMs - meanAt)) ** 2, 0);
  const error = Math.sqrt(residual / (count - 2) / width);
  return { perHour: slope * HOUR_MS, errorPerHour: error * HOUR_MS, sampleCount: count };
}
