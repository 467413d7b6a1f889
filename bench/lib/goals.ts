/** What the figures should be, by their names. Design section 6 and the orders "Data plane" and "Herd"; the documents' goals
 *  are the ranges that Dragonfly published (its user documents and blog: cold +2-10 %, remote 2.1-4.1x, local 5.9-12x). What
 *  follows a slash is the circumstance in which another goal counts for the same figure: `Figure.goal`. */
import type { Better } from "./stats.ts";

export interface Goal {
  readonly must: number;
  /** Absent where more is wanted only in harder circumstances. */
  readonly want?: number;
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
  "herd.last_host.bound_share": { must: 0.75, want: 0.88, dream: 0.94 },
  "herd.last_host.bound_share/24-hosts": { must: 0.7, want: 0.85, dream: 0.92 },
  "herd.source_egress": { must: 1.05, want: 1.01, dream: 1 },
  "herd.source_egress/kill-0.2": { must: 1.2 },
  "herd.source_egress/kill-0.3": { must: 1.2, want: 1.05 },
  "herd.source_egress/kill-0.5": { must: 1.2, want: 1.05, dream: 1.02 },
  "herd.source_egress/no-scheduler": { must: 2, want: 1.2, dream: 1.05 },
  "herd.failed": { must: 0, want: 0 },
  "herd.cross_zone_copies": { must: 1.5, want: 1.1, dream: 1 },
  "herd.messages_up_per_peer": { must: 32, want: 16, dream: 6 },
  "herd.rows_per_peer": { must: 4, want: 1, dream: 0.1 },
  "herd.vs_calm/slow": { must: 1.3, want: 1.15, dream: 1.05 },
  "herd.vs_calm/kill-0.2": { must: 1.6 },
  "herd.vs_calm/kill-0.3": { must: 1.6, want: 1.3 },
  "herd.vs_calm/kill-0.5": { must: 1.6, want: 1.3, dream: 1.25 },
  "herd.scheduler_knows_again_s": { must: 30, want: 5, dream: 2 },
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
