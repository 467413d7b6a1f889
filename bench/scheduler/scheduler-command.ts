/** `bun run bench scheduler` */
import { join } from "node:path";
import type { Command } from "commander";
import { BenchCluster } from "../lib/bench-cluster.ts";
import type { Figure } from "../lib/figure.ts";
import { number } from "../lib/figure-table.ts";
import { countFlag, hostsFlag, numberFlag } from "../lib/flags.ts";
import { ROOT } from "../lib/machine.ts";
import type { Outcome } from "../lib/result.ts";
import { runBench } from "../lib/run-bench.ts";
import { medianOf } from "../lib/stats.ts";
import type { Workbench } from "../lib/workbench.ts";
import type { LoadPlan, LoadResult } from "./load-plan.ts";
import { measureRestart } from "./measure-restart.ts";

/** Events a second that are tried one after the other, until one is not answered in time. */
const RATES = [2500, 5000, 10_000, 15_000, 20_000, 30_000, 45_000, 60_000, 80_000];
const HOSTS_PER_TASK = 20;

interface Flags {
  readonly hosts: number;
  readonly seconds: number;
  readonly p99Ms: number;
  readonly runs: number;
  readonly restart: boolean;
  readonly peers: number;
  readonly tasks: number;
  readonly json: boolean;
}

export function addSchedulerCommand(program: Command, args: readonly string[], finish: (code: number) => void): void {
  program
    .command("scheduler")
    .summary("events a second one scheduler process answers in time")
    .description(
      "A client in another process plays hosts in herds of 20 that report pieces and heartbeats over their channels, at a fixed rate that is raised until the answers come late.",
    )
    .option("--hosts <n>", "hosts, each with a channel", hostsFlag, 400)
    .option("--seconds <n>", "how long each rate is held", numberFlag, 5)
    .option("--p99-ms <n>", "an answer later than this is late", numberFlag, 5)
    .option("--runs <n>", "how often the rates are gone through, or it is killed", countFlag, 1)
    .option("--restart", "instead: kill it, start it anew, and wait until it knows all again", false)
    .option("--peers <n>", "with --restart: hosts, each with a channel", hostsFlag, 1000)
    .option("--tasks <n>", "with --restart: tasks that each host holds", countFlag, 10)
    .option("--json", "print the result as one object, on the last line of standard output", false)
    .action(async (flags: Flags) => {
      const bench = { bench: "scheduler", args, json: flags.json };
      finish(await runBench(bench, (workbench) => (flags.restart ? measureRestart : measure)(workbench, flags)));
    });
}

async function measure(workbench: Workbench, flags: Flags): Promise<Outcome> {
  const best: LoadResult[] = [];
  const ladder = new Map<number, LoadResult[]>();
  for (let run = 0; run < flags.runs; run++) {
    let held: LoadResult | undefined;
    for (const rate of RATES) {
      const step = await hold(workbench, flags, rate, `${run}-${rate}`);
      const { p50Ms, p99Ms, lateP99Ms, schedulerBusy, clientBusy, cpuUsPerEvent } = step;
      const cores = `scheduler ${number(schedulerBusy)} cores (${number(cpuUsPerEvent)} us an event), client ${number(clientBusy)}, late by ${number(lateP99Ms)} ms at p99`;
      workbench.say(`  ${rate} events/s: p50 ${number(p50Ms)} ms, p99 ${number(p99Ms)} ms; ${cores}`);
      ladder.set(rate, [...(ladder.get(rate) ?? []), step]);
      if (p99Ms > flags.p99Ms) {
        // Others may have had the machine for a moment: that is this run's figure, and no reason to lose the rest.
        held ??= { ...step, eventsPerSecond: 0 };
        break;
      }
      held = step;
    }
    if (held !== undefined) best.push(held);
  }
  if (best.every(({ eventsPerSecond }) => eventsPerSecond === 0))
    throw new Error(`Even ${RATES[0]} events/s are answered late: is the machine busy?`);
  const figure = (name: string, unit: string, better: Figure["better"], of: (step: LoadResult) => number): Figure => ({
    name,
    unit,
    better,
    samples: best.map(of),
  });
  return {
    runs: flags.runs,
    figures: [
      figure("scheduler.events_per_s", "events/s", "higher", (step) => step.eventsPerSecond),
      figure("scheduler.p99_ms", "ms", "lower", (step) => step.p99Ms),
      figure("scheduler.cores", "cores", "lower", (step) => step.schedulerBusy),
      figure("scheduler.queued_share", "share", "lower", (step) => step.queuedShare),
      figure("scheduler.cpu_us_per_event", "us", "lower", (step) => step.cpuUsPerEvent),
    ],
    notes: [
      `the highest rate tried at which p99 stays within ${flags.p99Ms} ms; one shard, ${flags.hosts} hosts`,
      ...[...ladder].map(([rate, steps]) => stepNote(rate, steps)),
    ],
  };
}

/** Medians of the runs that came as far. */
function stepNote(rate: number, steps: readonly LoadResult[]): string {
  const median = (of: (step: LoadResult) => number) => number(medianOf(steps.map(of)));
  const times = `p50 ${median((step) => step.p50Ms)} ms, p99 ${median((step) => step.p99Ms)} ms (the client alone ${median((step) => step.lateP99Ms)} ms)`;
  const queued = `without a core ${number(100 * medianOf(steps.map((step) => step.queuedShare)))} % of the time`;
  return `${rate} events/s: ${times}, ${median((step) => step.cpuUsPerEvent)} us of CPU an event, ${queued} (runs: ${steps.length})`;
}

/** A fresh scheduler and a fresh client for each rate. */
async function hold(workbench: Workbench, flags: Flags, eventsPerSecond: number, name: string): Promise<LoadResult> {
  const cluster = await BenchCluster.start(workbench, name);
  const { url, daemon } = cluster.scheduler;
  const { hosts, seconds } = flags;
  const target = { url, token: cluster.token, schedulerPid: daemon.pid };
  const plan: LoadPlan = { ...target, hosts, hostsPerTask: HOSTS_PER_TASK, eventsPerSecond, seconds };
  const client = [process.execPath, join(ROOT, "bench/scheduler/client-process.ts"), JSON.stringify(plan)];
  const { stdout } = await workbench.runWell(client);
  await daemon.stop();
  const result = JSON.parse(stdout) as LoadResult;
  // Infinity is null in JSON.
  return { ...result, p99Ms: result.p99Ms ?? Number.POSITIVE_INFINITY };
}
