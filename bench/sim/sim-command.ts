/** `bun run bench sim` */
import { type Command, Option } from "commander";
import { bpsOfMbit } from "../herd/lower-bound.ts";
import type { Figure } from "../lib/figure.ts";
import { number } from "../lib/figure-table.ts";
import { hostsFlag, numberFlag, shareFlag, sizeFlag } from "../lib/flags.ts";
import type { Outcome } from "../lib/result.ts";
import { runBench } from "../lib/run-bench.ts";
import { contentBps, HERD_LINKS } from "./herd-links.ts";
import { runSim, type SimResult } from "./run-sim.ts";
import { DEFAULT_SIM, type SimOptions } from "./sim-options.ts";

interface Flags {
  readonly hosts: number;
  readonly size: number;
  readonly seed: number;
  readonly rateMbit: number;
  readonly sourceMbit: number;
  readonly seeds: number;
  readonly seedMbit: number;
  readonly slow: number;
  readonly kill: number;
  readonly zones: number;
  readonly zoneMbit?: number;
  readonly killSchedulerAt?: number;
  readonly restartScheduler?: number;
  readonly loss: number;
  readonly controlMs: number;
  readonly likeHerd: boolean;
  readonly json: boolean;
}

export function addSimCommand(program: Command, args: readonly string[], finish: (exitCode: number) => void): void {
  program
    .command("sim")
    .summary("a cold herd of any size on a virtual clock, decided by the production core")
    .description(
      "Simulates links, clock and messages; scheduler and choice of pieces are edge/core and peer/core themselves. One seed gives one run, always the same.",
    )
    .option("--hosts <n>", "hosts that want the file", hostsFlag, 1000)
    .addOption(new Option("--size <bytes>", "size of the file").argParser(sizeFlag).default(2 ** 26, "64MiB"))
    .option("--seed <n>", "of all chance", numberFlag, 1)
    .option("--rate-mbit <n>", "link of every host, both ways, for content", numberFlag, 100)
    .option("--source-mbit <n>", "link of the source", numberFlag, 100)
    .option("--seeds <n>", "seeds among the hosts", numberFlag, 0)
    .option("--seed-mbit <n>", "link of every seed", numberFlag, 100)
    .option("--slow <share>", "share of the hosts with a tenth of the rate", shareFlag, 0)
    .option("--kill <share>", "share of the hosts that dies at random moments", shareFlag, 0)
    .option("--zones <n>", "hosts in so many zones, in turn", numberFlag, 1)
    .option("--zone-mbit <n>", "link between each further zone and the first, where the source is", numberFlag)
    .option("--kill-scheduler-at <s>", "the scheduler dies so long after the start, and stays away", numberFlag)
    .addOption(
      new Option("--restart-scheduler <s>", "it hears again so long after its death")
        .argParser(numberFlag)
        .implies({ killSchedulerAt: 2 }),
    )
    .option("--loss <share>", "share of piece requests that fail", shareFlag, 0)
    .option("--control-ms <n>", "one way between a host and the scheduler", numberFlag, DEFAULT_SIM.controlMs)
    .option("--like-herd", "links, source and processes as bench herd has them, at nominal rates", false)
    .option("--json", "print the result as one object, on the last line of standard output", false)
    .action(async (flags: Flags) => {
      finish(
        await runBench({ bench: "sim", args, json: flags.json }, async (workbench) => {
          workbench.say(`${flags.hosts} hosts`);
          return outcomeOf(runSim(optionsOf(flags)));
        }),
      );
    });
}

function optionsOf(flags: Flags): SimOptions {
  const bpsOf = flags.likeHerd ? contentBps : bpsOfMbit;
  return {
    ...DEFAULT_SIM,
    controlMs: flags.controlMs,
    ...(flags.likeHerd ? HERD_LINKS : {}),
    // One shard knows 65,536 hosts at most; what a bigger herd on one would do is what is asked here.
    policy: { ...DEFAULT_SIM.policy, maxHosts: Math.max(DEFAULT_SIM.policy.maxHosts, flags.hosts) },
    hosts: flags.hosts,
    sizeBytes: flags.size,
    seed: flags.seed,
    rateBps: bpsOf(flags.rateMbit),
    sourceBps: bpsOf(flags.sourceMbit),
    seeds: flags.seeds,
    seedBps: bpsOf(flags.seedMbit),
    slowShare: flags.slow,
    killShare: flags.kill,
    zones: Math.max(1, flags.zones),
    zoneBps: flags.zoneMbit === undefined ? Number.POSITIVE_INFINITY : bpsOf(flags.zoneMbit),
    ...schedulerDeathOf(flags),
    lossShare: flags.loss,
  };
}

function schedulerDeathOf({ killSchedulerAt, restartScheduler }: Flags): Pick<SimOptions, "schedulerDeath"> {
  if (killSchedulerAt === undefined) return {};
  const back = restartScheduler === undefined ? {} : { awayMs: 1000 * restartScheduler };
  return { schedulerDeath: { afterMs: 1000 * killSchedulerAt, ...back } };
}

function outcomeOf(result: SimResult): Outcome {
  const figure = (name: string, unit: string, better: Figure["better"], sample: number): Figure => ({
    name,
    unit,
    better,
    samples: [sample],
  });
  const { boundSeconds, lastSeconds, p99Seconds, p50Seconds, sourceSeconds } = result;
  return {
    runs: 1,
    figures: [
      figure("sim.last_host.bound_share", "share", "higher", boundSeconds / lastSeconds),
      figure("sim.p99.bound_share", "share", "higher", boundSeconds / p99Seconds),
      figure("sim.p50.bound_share", "share", "higher", boundSeconds / p50Seconds),
      figure("sim.all_hosts.seconds", "s", "lower", result.allSeconds),
      figure("sim.source_egress", "copies", "lower", result.egress),
      figure("sim.cross_zone_copies", "copies", "lower", result.crossZoneCopies),
      figure("sim.messages_up_per_peer", "messages", "lower", result.messagesUpPerHost),
      figure("sim.messages_down_per_peer", "messages", "lower", result.messagesDownPerHost),
      figure("sim.rows_per_peer", "rows", "lower", result.rowsPerHost),
      figure("sim.questions_per_peer", "questions", "lower", result.questionsPerHost),
      figure("sim.refusals_per_peer", "refusals", "lower", result.refusalsPerHost),
      figure("sim.wall_s", "s", "lower", result.wallSeconds),
    ],
    notes: [
      `bound ${number(boundSeconds)} s, last host ${number(lastSeconds)} s; the source had given its last byte after ${number(sourceSeconds)} s`,
    ],
  };
}
