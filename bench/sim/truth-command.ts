/** `bun run bench truth` */
import { type Command, InvalidArgumentError } from "commander";
import { seededRandom } from "../../edge/core/testing/fixtures.ts";
import { fastOnly } from "../herd/figures.ts";
import { HerdLab } from "../herd/herd-lab.ts";
import type { HerdPlan } from "../herd/plan.ts";
import { type HerdRun, lastSeconds, runHerd } from "../herd/run-herd.ts";
import { countFlag } from "../lib/flags.ts";
import type { Outcome } from "../lib/result.ts";
import { runBench } from "../lib/run-bench.ts";
import { Workbench } from "../lib/workbench.ts";
import { predictHerd } from "./predict-herd.ts";
import { TRUTH_CASES } from "./truth-cases.ts";
import { type TruthCase, truthFigures, truthNotes } from "./truth-figures.ts";

interface Flags {
  readonly case: readonly string[];
  readonly runs: number;
  readonly seed: number;
  readonly json: boolean;
}

/** Simulations beside each real run: the one in the middle is what is predicted. */
const SIMS_PER_RUN = 9;

export function addTruthCommand(program: Command, args: readonly string[], finish: (exitCode: number) => void): void {
  program
    .command("truth")
    .summary("real herds beside what the simulator says of them")
    .description(
      "Runs each herd as bench herd does, then the simulator with the same links, the same deaths at the same moments, and prints how far it is from the truth. Needs root.",
    )
    .option(
      "--case <names>",
      `which, with commas between; all otherwise: ${[...TRUTH_CASES.keys()].join(", ")}`,
      casesFlag,
      [...TRUTH_CASES.keys()],
    )
    .option("--runs <n>", "real herds of each case", countFlag, 3)
    .option("--seed <n>", "of the chance that kills hosts, and of the simulator's", countFlag, 1)
    .option("--json", "print the result as one object, on the last line of standard output", false)
    .action(async (flags: Flags) => {
      finish(
        await runBench({ bench: "truth", args, json: flags.json }, async (workbench): Promise<Outcome> => {
          const cases: TruthCase[] = [];
          for (const name of flags.case) cases.push(await measure(workbench, name, flags));
          return { runs: flags.runs, figures: truthFigures(cases), notes: truthNotes(cases) };
        }),
      );
    });
}

function casesFlag(text: string): string[] {
  const names = text.split(",");
  const unknown = names.find((name) => !TRUTH_CASES.has(name));
  if (unknown === undefined) return names;
  throw new InvalidArgumentError(`There is no case ${unknown}; there are: ${[...TRUTH_CASES.keys()].join(", ")}.`);
}

async function measure(bench: Workbench, name: string, { runs, seed }: Flags): Promise<TruthCase> {
  const plan = TRUTH_CASES.get(name);
  if (plan === undefined) throw new RangeError(`There is no case ${name}`);
  bench.say(`${name}: ${plan.hosts} hosts`);
  const herds = await runHerds(bench, name, plan, runs, seed);
  const pairs = herds.map((real, run) => {
    const sims = Array.from({ length: SIMS_PER_RUN }, (_, n) =>
      predictHerd(plan, real.troubles, seed + run * SIMS_PER_RUN + n),
    );
    return { real, sims };
  });
  return { name, pairs };
}

/** Processes and links of a case are gone before the next begins, and before anything is simulated. */
async function runHerds(
  bench: Workbench,
  name: string,
  plan: HerdPlan,
  runs: number,
  seed: number,
): Promise<HerdRun[]> {
  await using workbench = await Workbench.open(bench.signal, bench.folder);
  const lab = await HerdLab.set(workbench, plan);
  const random = seededRandom(seed);
  const herds: HerdRun[] = [];
  for (let run = 0; run < runs; run++) {
    const real = await runHerd(lab, plan, `${name}-${run}`, random);
    const busy = Math.round(100 * real.busyShare);
    bench.say(`  herd ${run + 1}: ${lastSeconds(real, fastOnly(real)).toFixed(2)} s, machine ${busy} % busy`);
    herds.push(real);
  }
  return herds;
}
