/** `bun run bench herd` */
import { writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { seededRandom } from "../../edge/core/testing/fixtures.ts";
import { ensureDebianPackages } from "../../tests/fixtures/debian-packages.ts";
import type { Figure } from "../lib/figure.ts";
import { countFlag, numberFlag, shareFlag } from "../lib/flags.ts";
import { inTurns } from "../lib/repeat.ts";
import type { Outcome } from "../lib/result.ts";
import { runBench } from "../lib/run-bench.ts";
import type { Workbench } from "../lib/workbench.ts";
import { runAria2Herd } from "./aria2-herd.ts";
import { aria2Figures, comparedFigures, fastOnly, herdFigures, herdNotes } from "./figures.ts";
import { HerdLab } from "./herd-lab.ts";
import { boundSeconds, calmOf, type HerdPlan } from "./plan.ts";
import { progressChart } from "./progress-chart.ts";
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
  readonly killSchedulerAt?: number;
  readonly restartScheduler?: number;
  readonly vs?: "aria2";
  readonly seed: number;
  readonly runs: number;
  readonly svg?: string;
  readonly folder?: string;
  readonly json: boolean;
}

const MIB = 2 ** 20;
/** Addresses of the network. */
const MAX_HOSTS = 240;

/** One command for each case of the order; docs/benchmarks.md says what they showed. */
const EXAMPLES = `
Cases (add --runs 3, --json, --svg FILE):
  bench herd --vs aria2                                      12 hosts at 100 Mbit/s, beside BitTorrent
  bench herd --hosts 24 --rate-mbit 50 --source-mbit 50      24 hosts
  bench herd --hosts 64 --rate-mbit 20 --source-mbit 20 --size-mib 64
  bench herd --slow 0.25                                     a quarter of the hosts at a tenth of the rate
  bench herd --source-mbit 400                               a source four times faster than a host
  bench herd --seeds 2                                       with seeds
  bench herd --join-s 10                                     hosts come one after the other
  bench herd --zones 2 --zone-mbit 200                       two zones behind a link
  bench herd --kill 0.2                                      (0.3, 0.5) hosts die
  bench herd --kill-scheduler-at 2                           the scheduler dies
  bench herd --kill-scheduler-at 2 --restart-scheduler 2     and comes back 2 s later
On a small machine the CPU is the limit, not the links (herd.machine_busy near 1): lower --hosts and the rates.`;

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
    .option("--kill <share>", "share of the hosts that is killed (-9) at random moments", shareFlag, 0)
    .option("--join-s <n>", "hosts begin over so many seconds, one after the other", numberFlag, 0)
    .option("--zones <n>", "hosts in so many zones, in turn; the source is in the first", countFlag, 1)
    .option("--zone-mbit <n>", "link between zones; unlimited otherwise", numberFlag)
    .option(
      "--kill-scheduler-at <s>",
      "the scheduler is killed (-9) so long after the start, and stays away",
      numberFlag,
    )
    .addOption(
      new Option("--restart-scheduler <s>", "it is started again so long after its death")
        .argParser(numberFlag)
        .implies({ killSchedulerAt: 2 }),
    )
    .addOption(new Option("--vs <system>", "the same herd with another system, in turns").choices(["aria2"]))
    .option("--seed <n>", "of the chance that kills hosts", countFlag, 1)
    .option("--runs <n>", "herds of each kind", countFlag, 5)
    .option("--svg <file>", "draw how far each host was at what time, of the run in the middle")
    .option("--folder <folder>", "put files there; the system's temporary folder otherwise")
    .option("--json", "print the result as one object, on the last line of standard output", false)
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Flags, command: Command) => {
      if (flags.hosts + flags.seeds > MAX_HOSTS) command.error(`error: hosts and seeds: at most ${MAX_HOSTS} together`);
      const where = flags.folder === undefined ? {} : { folder: flags.folder };
      finish(
        await runBench({ bench: "herd", args, json: flags.json, ...where }, (workbench) => measure(workbench, flags)),
      );
    });
}

async function measure(workbench: Workbench, flags: Flags): Promise<Outcome> {
  const plan = planOf(flags);
  workbench.say(`${plan.hosts} hosts and ${plan.seeds} seeds; bound ${boundSeconds(plan).toFixed(2)} s`);
  if (flags.vs === "aria2") await ensureDebianPackages("aria2c", ["aria2"]);
  const lab = await HerdLab.set(workbench, plan);
  const { herds, beside } = await runAll(lab, plan, flags);
  if (flags.svg !== undefined) {
    await writeFile(flags.svg, progressChart(middleOf(herds)));
    workbench.say(`drew ${flags.svg}`);
  }
  return { runs: flags.runs, figures: [...herdFigures(herds), ...beside], notes: herdNotes(herds) };
}

/** Herds, and the figures of what ran in turns with them: another system, or the herd that nothing befalls. */
async function runAll(lab: HerdLab, plan: HerdPlan, flags: Flags): Promise<{ herds: HerdRun[]; beside: Figure[] }> {
  const { runs } = flags;
  const random = seededRandom(flags.seed);
  const herd = async (what: string, chosen: HerdPlan, run: number) => {
    const done = await runHerd(lab, chosen, `${what}-${run}`, random);
    lab.workbench.say(`  ${what} ${run + 1}: ${summary(done)}`);
    return done;
  };
  const ours = (run: number) => herd("herd", plan, run);
  if (flags.vs === "aria2") {
    const pairs = await inTurns(runs, ours, async (run) => {
      const done = await runAria2Herd(lab, plan);
      lab.workbench.say(`  aria2 ${run + 1}: ${Math.max(...done.seconds).toFixed(2)} s`);
      return done;
    });
    return { herds: pairs.map((pair) => pair.ours), beside: aria2Figures(pairs.map(({ reference }) => reference)) };
  }
  const calmPlan = calmOf(plan);
  if (calmPlan !== undefined) {
    const pairs = await inTurns(runs, ours, (run) => herd("calm", calmPlan, run));
    const herds = pairs.map((pair) => pair.ours);
    const calm = pairs.map(({ reference }) => reference);
    return { herds, beside: comparedFigures(herds, calm) };
  }
  const herds: HerdRun[] = [];
  for (let run = 0; run < runs; run++) herds.push(await ours(run));
  return { herds, beside: [] };
}

/** By the time of the last host. */
function middleOf(herds: readonly HerdRun[]): HerdRun {
  const sorted = herds.toSorted((a, b) => lastSeconds(a, fastOnly(a)) - lastSeconds(b, fastOnly(b)));
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (middle === undefined) throw new RangeError("There is no middle of no herds");
  return middle;
}

function planOf(flags: Flags): HerdPlan {
  const { hosts, seeds, rateMbit, sourceMbit, zones, zoneMbit, killSchedulerAt, restartScheduler } = flags;
  const away = restartScheduler === undefined ? {} : { awaySeconds: restartScheduler };
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
    ...(killSchedulerAt === undefined ? {} : { schedulerDeath: { afterSeconds: killSchedulerAt, ...away } }),
  };
}

function summary(run: HerdRun): string {
  const last = lastSeconds(run, fastOnly(run));
  const share = Math.round((100 * boundSeconds(run.plan)) / last);
  const egress = (run.sourceBytes / run.plan.sizeBytes).toFixed(3);
  return `${last.toFixed(2)} s, ${share} % of the bound, source read ${egress} times, machine ${Math.round(100 * run.busyShare)} % busy`;
}
