/** What the figures should be. Design section 6 and the order "Data plane"; the documents' goals are the ranges that
 *  Dragonfly published (its user documents and blog: cold +2-10 %, remote 2.1-4.1x, local 5.9-12x). */
import type { Better } from "./stats.ts";

export interface Goal {
  readonly must: number;
  readonly want: number;
  /** Absent where the dream is no number. */
  readonly dream?: number;
}

export const GOALS: Readonly<Record<string, Goal>> = {
  "cold.vs_curl": { must: 1.05, want: 1 },
  "warm.bytes_per_s": { must: 0.6e9, want: 0.85e9, dream: 1.1e9 },
  "local_hit.vs_nginx": { must: 0.6, want: 0.8, dream: 0.95 },
  "get_local.seconds": { must: 0.5, want: 0.2, dream: 0.1 },
  "small.ms": { must: 100, want: 25 },
  "first_byte.extra_ms": { must: 100, want: 20, dream: 5 },
  "first_byte.middle.extra_ms": { must: 100, want: 20, dream: 5 },
  "serve.cpu_s_per_gb": { must: 0.1, want: 0.07 },
  "receive.cpu_s_per_gb": { must: 2.2, want: 1.4, dream: 1 },
  "rss.transfer_mb": { must: 256, want: 160, dream: 96 },
  "rss.idle_mb": { must: 80, want: 60, dream: 45 },
  "documents.cold.vs_direct": { must: 1.1, want: 1.02 },
  "documents.remote.speedup": { must: 2.1, want: 4.1 },
  "documents.local.speedup": { must: 5.9, want: 12 },
  "liars.bad_bytes": { must: 0, want: 0 },
  "liars.vs_honest": { must: 1.1, want: 1 },
  "proxy.local_hit.vs_nginx": { must: 0.6, want: 0.8, dream: 0.95 },
  "proxy.pass_through.vs_squid": { must: 1.25, want: 1 },
  "proxy.cold.extra_ms": { must: 100, want: 20, dream: 5 },
  "soak.growing": { must: 0, want: 0 },
  "soak.failed": { must: 0, want: 0 },
};

export type Reached = "dream" | "want" | "must" | "missed";

/** The hardest goal that `value` reaches. */
export function reachedBy(value: number, goal: Goal, better: Better): Reached {
  const reaches = (bound: number | undefined) =>
    bound !== undefined && (better === "higher" ? value >= bound : value <= bound);
  if (reaches(goal.dream)) return "dream";
  if (reaches(goal.want)) return "want";
  return reaches(goal.must) ? "must" : "missed";
}
