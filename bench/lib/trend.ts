/** Whether something grows with time: the slope test of the soak. */

export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

export interface Trend {
  /** Slope after the warm-up, in units of the value an hour. */
  readonly perHour: number;
  /** The true slope lies no further from it than this, with 99 % confidence; endless when the time was too short. */
  readonly marginPerHour: number;
  /** A trend is claimed only where the interval leaves out zero. */
  readonly verdict: "grows" | "shrinks" | "no trend" | "too short";
}

const HOUR_MS = 3_600_000;
/** The first quarter of the time, in which caches fill and code warms up, does not count. */
const WARM_UP_SHARE = 0.25;
/** The rest is cut into this many batches, whose means are fitted: samples that follow each other are alike (a heap
 *  grows until it is collected), means of long batches hardly are. */
const BATCHES = 12;
/** Shorter than this they would be. */
const MIN_BATCH_MS = 30_000;
/** Student's t, two-sided 99 % at 10 degrees of freedom: a soak asks six times, and shall rarely cry wolf. */
const T = 3.169;

export function trendOf(samples: readonly Sample[]): Trend {
  const batches = batchesOf(samples);
  const { slope, residuals, width } = fitted(batches.means);
  const perHour = slope * HOUR_MS;
  if (batches.means.length < BATCHES || batches.lengthMs < MIN_BATCH_MS) {
    return { perHour, marginPerHour: Number.POSITIVE_INFINITY, verdict: "too short" };
  }
  const variance = sumOf(residuals, (residual) => residual ** 2) / (BATCHES - 2) / width;
  const marginPerHour = T * Math.sqrt(variance * likeness(residuals)) * HOUR_MS;
  const verdict = Math.abs(perHour) <= marginPerHour ? "no trend" : perHour > 0 ? "grows" : "shrinks";
  return { perHour, marginPerHour, verdict };
}

/** Means of those batches that have samples. */
function batchesOf(samples: readonly Sample[]): { readonly means: readonly Sample[]; readonly lengthMs: number } {
  const times = samples.map(({ atMs }) => atMs);
  const [firstMs, lastMs] = [Math.min(...times), Math.max(...times)];
  const startMs = firstMs + (lastMs - firstMs) * WARM_UP_SHARE;
  const lengthMs = (lastMs - startMs) / BATCHES;
  const batches = Map.groupBy(
    samples.filter(({ atMs }) => atMs >= startMs),
    ({ atMs }) => Math.min(BATCHES - 1, Math.floor((atMs - startMs) / lengthMs)),
  );
  const means = [...batches.values()].map((batch) => ({
    atMs: meanOf(batch, ({ atMs }) => atMs),
    value: meanOf(batch, ({ value }) => value),
  }));
  return { means, lengthMs };
}

/** Least squares. The slope is a millisecond's; 0 for fewer than two points. */
function fitted(points: readonly Sample[]): {
  readonly slope: number;
  readonly residuals: readonly number[];
  readonly width: number;
} {
  const meanAt = meanOf(points, ({ atMs }) => atMs);
  const meanValue = meanOf(points, ({ value }) => value);
  const width = sumOf(points, ({ atMs }) => (atMs - meanAt) ** 2);
  const rise = sumOf(points, ({ atMs, value }) => (atMs - meanAt) * (value - meanValue));
  const slope = width > 0 ? rise / width : 0;
  return { slope, width, residuals: points.map(({ atMs, value }) => value - meanValue - slope * (atMs - meanAt)) };
}

/** By how much neighbouring batches that are alike all the same widen the variance of the slope: (1 + r) / (1 - r) with
 *  their correlation r, never less than 1. */
function likeness(residuals: readonly number[]): number {
  const all = sumOf(residuals, (residual) => residual ** 2);
  if (all === 0) return 1;
  const next = residuals.slice(1).reduce((sum, residual, at) => sum + residual * (residuals[at] ?? 0), 0);
  const correlation = Math.max(0, Math.min(0.9, next / all));
  return (1 + correlation) / (1 - correlation);
}

function meanOf<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return sumOf(items, of) / items.length;
}

function sumOf<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}
