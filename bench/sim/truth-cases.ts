/** The herds by which the simulator is held to the truth. Rates that leave a machine of two cores room: where the CPU is the
 *  limit, the links that are simulated are not. */
import type { HerdPlan } from "../herd/plan.ts";

const MIB = 2 ** 20;

const CALM: HerdPlan = {
  hosts: 8,
  seeds: 0,
  rateMbit: 30,
  sourceMbit: 30,
  sizeBytes: 32 * MIB,
  slowShare: 0,
  killShare: 0,
  joinSeconds: 0,
  zones: 1,
};

/** By the names that `bench truth --case` takes. */
export const TRUTH_CASES: ReadonlyMap<string, HerdPlan> = new Map([
  ["calm", CALM],
  ["kill", { ...CALM, killShare: 0.5 }],
  // The slow ones take ten times as long.
  ["slow", { ...CALM, sizeBytes: 16 * MIB, slowShare: 0.25 }],
  ["zones", { ...CALM, rateMbit: 40, sourceMbit: 40, zones: 2, zoneMbit: 100 }],
  ["seeds", { ...CALM, hosts: 6, seeds: 2 }],
  ["join", { ...CALM, joinSeconds: 10 }],
  ["scheduler-dies", { ...CALM, schedulerDeath: { afterSeconds: 2 } }],
  ["scheduler-returns", { ...CALM, schedulerDeath: { afterSeconds: 2, awaySeconds: 2 } }],
  ["big", { ...CALM, hosts: 12, rateMbit: 100, sourceMbit: 100, sizeBytes: 128 * MIB }],
]);
