/** How far the simulator is from real herds. */
import { fastOnly } from "../herd/figures.ts";
import { boundSeconds } from "../herd/plan.ts";
import { type HerdRun, lastSeconds } from "../herd/run-herd.ts";
import type { Figure } from "../lib/figure.ts";
import { number } from "../lib/figure-table.ts";
import { medianOf } from "../lib/stats.ts";
import type { SimResult } from "./run-sim.ts";

export interface TruthCase {
  readonly name: string;
  readonly pairs: readonly TruthPair[];
}

/** One real herd, and simulations of it that differ by chance only. */
export interface TruthPair {
  readonly real: HerdRun;
  readonly sims: readonly SimResult[];
}

/** What is compared: of one herd, and of one simulation. */
interface Measure {
  readonly name: string;
  readonly unit: string;
  readonly of: (run: HerdRun) => number | undefined;
  readonly simulated: (sim: SimResult) => number;
}

const MEASURES: readonly Measure[] = [
  {
    name: "last_host",
    unit: "s",
    of: (run) => lastSeconds(run, fastOnly(run)),
    simulated: ({ lastSeconds }) => lastSeconds,
  },
  { name: "p50", unit: "s", of: halfSeconds, simulated: ({ p50Seconds }) => p50Seconds },
  {
    name: "source_egress",
    unit: "copies",
    of: ({ sourceBytes, plan }) => sourceBytes / plan.sizeBytes,
    simulated: ({ egress }) => egress,
  },
  {
    name: "messages_up_per_peer",
    unit: "messages",
    of: ({ scheduler, gets }) =>
      scheduler === undefined
        ? undefined
        : scheduler.messagesUp / Math.max(1, gets.filter((get) => get !== undefined).length),
    simulated: ({ messagesUpPerHost }) => messagesUpPerHost,
  },
];

/** `truth.CASE.last_host` and so on: what the simulator says beside the truth, as a difference in per cent of it. */
export function truthFigures(cases: readonly TruthCase[]): Figure[] {
  return cases.flatMap(({ name, pairs }) =>
    MEASURES.flatMap((measure) => {
      const compared = pairs.flatMap((pair) => compare(pair, measure));
      if (compared.length === 0) return [];
      return [
        {
          name: `truth.${name}.${measure.name}`,
          unit: "% off",
          better: "lower" as const,
          samples: compared.map(({ real, sim }) => 100 * (sim / real - 1)),
          reference: { name: "real", unit: measure.unit, samples: compared.map(({ real }) => real) },
        },
      ];
    }),
  );
}

export function truthNotes(cases: readonly TruthCase[]): string[] {
  return cases.map(({ name, pairs }) => {
    const parts = MEASURES.flatMap((measure) => {
      const compared = pairs.flatMap((pair) => compare(pair, measure));
      if (compared.length === 0) return [];
      const reals = compared.map(({ real }) => number(real)).join(", ");
      const sims = compared.map(({ sim }) => number(sim)).join(", ");
      return [`${measure.name} ${reals} ${measure.unit}, simulated ${sims}`];
    });
    const [first] = pairs;
    const bound = first === undefined ? "" : ` (bound ${number(boundSeconds(first.real.plan))} s)`;
    const busy = Math.round(100 * Math.max(...pairs.map(({ real }) => real.busyShare)));
    return `${name}${bound}: ${parts.join("; ")}; machine at most ${busy} % busy`;
  });
}

/** Nothing where the real herd did not count it. The simulation in the middle speaks for all. */
function compare({ real, sims }: TruthPair, { of, simulated }: Measure): { real: number; sim: number }[] {
  const value = of(real);
  return value === undefined ? [] : [{ real: value, sim: medianOf(sims.map(simulated)) }];
}

function halfSeconds(run: HerdRun): number {
  const isFast = fastOnly(run);
  return medianOf(run.gets.flatMap((get, host) => (get !== undefined && isFast(host) ? get.endMs : []))) / 1000;
}
