/** What the simulator says of a herd that was run for real: the same links, and the same that befell it. */
import { GOODPUT_SHARE } from "../herd/figures.ts";
import { bpsOfMbit } from "../herd/lower-bound.ts";
import { type HerdPlan, hostNames } from "../herd/plan.ts";
import type { Trouble } from "../herd/troubles.ts";
import { runSim, type SimResult } from "./run-sim.ts";
import { DEFAULT_SIM, type SimOptions } from "./sim-options.ts";

/** Between what was measured with `ss -ti` (BBR) of streams that had more to send all the time, over a second each: 0.75 on the link
 *  of a source of 30 Mbit/s with 8 readers, 1.2 on that of a host with 3 Mbit/s. */
const UNEVENNESS = 1;

/** Of the shaper of `bench/herd/network.ts`: its burst, and its latency. */
const SHAPER_QUEUE = { queueBytes: 128 * 1024, queueMs: 40 };

/** From the start of its process until it answers. */
const SCHEDULER_START_MS = 400;
/** As 8 hosts at once answered that they had opened the task, on two cores. */
const OPEN_MS = 100;
/** What nginx has given to the kernel and no reader has got, in the mean of the streams in use (`ss`, 200 KiB at 30 Mbit/s): its log
 *  counts it. */
const SENT_AHEAD_BYTES = 200 * 1024;

/** @param seed of the chance that is in the simulation */
export function predictHerd(plan: HerdPlan, troubles: readonly Trouble[], seed: number): SimResult {
  return runSim(simOptionsOf(plan, troubles, seed));
}

/** The simulator has seeds first among its hosts. */
export function simOptionsOf(plan: HerdPlan, troubles: readonly Trouble[], seed: number): SimOptions {
  const { hosts, seeds, rateMbit, sourceMbit, zones, zoneMbit, sizeBytes, slowShare, joinSeconds } = plan;
  const contentBps = (mbit: number) => GOODPUT_SHARE * bpsOfMbit(mbit);
  const names = hostNames(plan);
  return {
    ...DEFAULT_SIM,
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
    ...SHAPER_QUEUE,
    unevenness: UNEVENNESS,
    openMs: OPEN_MS,
    sentAheadBytes: SENT_AHEAD_BYTES,
    // Namespaces of one machine.
    controlMs: 1,
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
