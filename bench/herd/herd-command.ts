/** `bun run bench herd` */
import { type Command, Option } from "commander";
import { seededRandom } from "../../edge/core/testing/fixtures.ts";
import { ensureDebianPackages } from "../../tests/fixtures/debian-packages.ts";
import { countFlag, numberFlag, shareFlag } from "../lib/flags.ts";
import { inTurns } from "../lib/repeat.ts";
import type { Outcome } from "../lib/result.ts";
import { runBench } from "../lib/run-bench.ts";
import type { Workbench } from "../lib/workbench.ts";
import { runAria2Herd } from "./aria2-herd.ts";
import { aria2Figures, comparedFigures, fastOnly, herdFigures, herdNotes } from "./figures.ts";
import { HerdLab } from "./herd-lab.ts";
import { boundSeconds, type HerdPlan } from "./plan.ts";
import { type HerdRun, lastSeconds, runHerd } from "./run-herd.ts";

interface Flags {
  readonly hosts: number;
  readonly seeds: number;
  readonly rateMbit: number;
  readonly sourceMbit: number;
  readonly sizeMib: number;
  readonly slow: number;
  readonly kill: number;
  readonly joinS: number;
  readonly zones: number;
  readonly zoneMbit?: number;
  readonly schedulerDiesS?: number;
  readonly vs?: "aria2";
  readonly runs: number;
  readonly folder?: string;
  readonly json: boolean;
}

const MIB = 2 ** 20;

export function addHerdCommand(program: Command, args: readonly string[], finish: (exitCode: number) => void): void {
  program
    .command("herd")
    .summary("a cold herd on links of its own, beside the physical bound")
    .description(
      "All hosts ask for the same file at the same moment. Each has a network namespace and a link shaped at both ends; scheduler, source and peers are real processes. Needs root. A herd with slow hosts or deaths is run beside a calm one, in turns.",
    )
    .option("--hosts <n>", "hosts that want the file", countFlag, 12)
    .option("--seeds <n>", "seeds besides", numberFlag, 0)
    .option("--rate-mbit <n>", "link of every host, both ways", numberFlag, 100)
    .option("--source-mbit <n>", "link of the source", numberFlag, 100)
    .option("--size-mib <n>", "size of the file", countFlag, 128)
    .option("--slow <share>", "share of the hosts with a tenth of the rate", shareFlag, 0)
    .option("--kill <share>", "share of the hosts that is killed at random moments", shareFlag, 0)
    .option("--join-s <n>", "hosts begin over so many seconds, one after the other", numberFlag, 0)
    .option("--zones <n>", "hosts in so many zones, in turn; the source is in the first", countFlag, 1)
    .option("--zone-mbit <n>", "link between zones; unlimited otherwise", numberFlag)
    .option("--scheduler-dies-s <n>", "the scheduler is killed so long after the start, and stays away", numberFlag)
    .addOption(new Option("--vs <system>", "the same herd with another system, in turns").choices(["aria2"]))
    .option("--runs <n>", "herds of each kind", countFlag, 5)
    .option("--folder <folder>", "put files there; the system's temporary folder otherwise")
    .option("--json", "print the result as one object, on the last line of standard output", false)
    .action(async (flags: Flags) => {
      const where = flags.folder === undefined ? {} : { folder: flags.folder };
      finish(
        await runBench({ bench: "herd", args, json: flags.json, ...where }, (workbench) => measure(workbench, flags)),
      );
    });
}

async function measure(workbench: Workbench, flags: Flags): Promise<Outcome> {
  const plan = planOf(flags);
  const calmPlan = calmOf(plan);
  workbench.say(`${plan.hosts} hosts and ${plan.seeds} seeds; bound ${boundSeconds(plan).toFixed(2)} s`);
  const lab = await HerdLab.set(workbench, plan);
  const random = seededRandom(1);
  const herd = async (what: string, chosen: HerdPlan, run: number) => {
    const done = await runHerd(lab, chosen, `${what}-${run}`, random);
    workbench.say(`  ${what} ${run + 1}: ${summary(done)}`);
    return done;
  };
  const { runs } = flags;
  if (flags.vs === "aria2") {
    await ensureDebianPackages("aria2c", ["aria2"]);
    const pairs = await inTurns(
      runs,
      (run) => herd("herd", plan, run),
      async (run) => {
        const done = await runAria2Herd(lab, plan);
        workbench.say(`  aria2 ${run + 1}: ${Math.max(...done.seconds).toFixed(2)} s`);
        return done;
      },
    );
    const herds = pairs.map(({ ours }) => ours);
    const others = pairs.map(({ reference }) => reference);
    return { runs, figures: [...herdFigures(herds), ...aria2Figures(others)], notes: herdNotes(herds) };
  }
  if (calmPlan === undefined) {
    const herds: HerdRun[] = [];
    for (let run = 0; run < runs; run++) herds.push(await herd("herd", plan, run));
    return { runs, figures: herdFigures(herds), notes: herdNotes(herds) };
  }
  const pairs = await inTurns(
    runs,
    (run) => herd("herd", plan, run),
    (run) => herd("calm", calmPlan, run),
  );
  const herds = pairs.map(({ ours }) => ours);
  const calm = pairs.map(({ reference }) => reference);
  return { runs, figures: [...herdFigures(herds), ...comparedFigures(herds, calm)], notes: herdNotes(herds) };
}

function planOf(flags: Flags): HerdPlan {
  const { hosts, seeds, rateMbit, sourceMbit, zones, zoneMbit, schedulerDiesS } = flags;
  return {
    hosts,
    seeds,
    rateMbit,
    sourceMbit,
    zones,
    sizeBytes: flags.sizeMib * MIB,
    slowShare: flags.slow,
    killShare: flags.kill,
    joinSeconds: flags.joinS,
    ...(zoneMbit === undefined ? {} : { zoneMbit }),
    ...(schedulerDiesS === undefined ? {} : { schedulerDiesAfterSeconds: schedulerDiesS }),
  };
}

/** The same herd on its best day; `undefined` when it is that already. */
function calmOf(plan: HerdPlan): HerdPlan | undefined {
  const { schedulerDiesAfterSeconds, ...rest } = plan;
  if (plan.slowShare === 0 && plan.killShare === 0 && schedulerDiesAfterSeconds === undefined) return undefined;
  return { ...rest, slowShare: 0, killShare: 0 };
}

function summary(run: HerdRun): string {
  const last = lastSeconds(run, fastOnly(run));
  const share = Math.round((100 * boundSeconds(run.plan)) / last);
  const egress = (run.sourceBytes / run.plan.sizeBytes).toFixed(3);
  return `${last.toFixed(2)} s, ${share} % of the bound, source read ${egress} times, machine ${Math.round(100 * run.busyShare)} % busy`;
}
