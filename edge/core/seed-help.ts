/** Whether hosts that are no seeds read the source too, because the seeds hold the others up: docs/decisions/0015. */
import { paceBps } from "./lease-pace.ts";
import type { Peer } from "./peer.ts";
import type { Task } from "./task.ts";
import type { Turn } from "./turn.ts";

/** `none`: not so far. `given`: others read, too. `refused`: the source would not have them. */
export type SeedHelp = "none" | "given" | "refused";

/** @param seeds those that may read now, at least one */
export function helpsSeeds(turn: Turn, task: Task, seeds: readonly Peer[]): boolean {
  if (task.seedHelp === "none" && areBehind(turn, task, seeds)) task.seedHelp = "given";
  return task.seedHelp === "given";
}

/** They read for a while, and have long to go. Then what they read comes late to the others, too: all of it crosses their
 *  links twice, and most of it more often. */
function areBehind(turn: Turn, task: Task, seeds: readonly Peer[]): boolean {
  const { nowMs, policy } = turn;
  if (!task.info.ranged || task.running.size <= seeds.length) return false;
  if (seeds.some((seed) => nowMs < seed.beganAtMs + policy.seedAloneMs)) return false;
  const bps = seeds.reduce((sum, seed) => sum + paceBps(turn, seed), 0);
  const unheldBytes = task.pieces.unheldCount * task.info.pieceLengthBytes;
  // Without any pace it is the time to live of their leases that counts.
  return bps > 0 && (1000 * unheldBytes) / bps > policy.leaseSlowMs;
}
