/** What the simulator says of a herd that was run for real: the same links, and the same that befell it. */
import { type HerdPlan, hostNames } from "../herd/plan.ts";
import type { Trouble } from "../herd/troubles.ts";
import { contentBps, HERD_LINKS, SCHEDULER_START_MS } from "./herd-links.ts";
import { runSim, type SimResult } from "./run-sim.ts";
import { DEFAULT_SIM, type SimOptions } from "./sim-options.ts";

/** @param seed of the chance that is in the simulation */
export function predictHerd(plan: HerdPlan, troubles: readonly Trouble[], seed: number): SimResult {
  return runSim(simOptionsOf(plan, troubles, seed));
}

/** The simulator has seeds first among its hosts. */
export function simOptionsOf(plan: HerdPlan, troubles: readonly Trouble[], seed: number): SimOptions {
  const { hosts, seeds, rateMbit, sourceMbit, zones, zoneMbit, sizeBytes, slowShare, joinSeconds } = plan;
  const names = hostNames(plan);
  return {
    ...DEFAULT_SIM,
    ...HERD_LINKS,
    hosts: hosts + seeds,
    seeds,
    sizeBytes,
    seed,
    rateBps: contentBps(rateMbit),
    sourceBps: contentBps(sourceMbit),
    seedBps: contentBps(rateMbit),
    slowShare: (slowShare * hosts) / (hosts + seeds),
    zones,
    zoneBps: zoneMbit === undefined ? Number.POSITIVE_INFINITY : contentBps(zoneMbit),
    joinMs: 1000 * joinSeconds,
    joinInTurn: true,
    ...schedulerDeathIn(troubles),
    deaths: troubles.flatMap(({ kind, name, ms }) =>
      kind === "host-killed" && name !== undefined ? [{ host: seeds + names.indexOf(name), afterMs: ms }] : [],
    ),
  };
}

function schedulerDeathIn(troubles: readonly Trouble[]): Pick<SimOptions, "schedulerDeath"> {
  const at = (kind: Trouble["kind"]) => troubles.find((trouble) => trouble.kind === kind)?.ms;
  const afterMs = at("scheduler-killed");
  const startedMs = at("scheduler-started");
  if (afterMs === undefined) return {};
  const back = startedMs === undefined ? {} : { awayMs: startedMs - afterMs + SCHEDULER_START_MS };
  return { schedulerDeath: { afterMs, ...back } };
}
