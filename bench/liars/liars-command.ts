/** `bun run bench liars` */
import { join } from "node:path";
import { type Command, Option } from "commander";
import type { Figure } from "../lib/figure.ts";
import { number } from "../lib/figure-table.ts";
import { countFlag, shareFlag, sizeFlag } from "../lib/flags.ts";
import { startNginx } from "../lib/nginx.ts";
import { inTurns, type Pair } from "../lib/repeat.ts";
import { runBench } from "../lib/run-bench.ts";
import { medianOf } from "../lib/stats.ts";
import { writeTestFile } from "../lib/test-file.ts";
import type { Workbench } from "../lib/workbench.ts";
import { type HerdRun, runHerd } from "./herd.ts";

interface Flags {
  readonly hosts: number;
  readonly liarsShare: number;
  readonly size: number;
  readonly uploadRate: number;
  readonly runs: number;
  readonly folder?: string;
  readonly json: boolean;
}

export function addLiarsCommand(program: Command, args: readonly string[], finish: (exitCode: number) => void): void {
  program
    .command("liars")
    .summary("a herd of which some serve rotten bytes, beside the same herd with all honest")
    .description(
      "All hosts of a herd get one file at the same moment, some of them behind a relay that flips a bit in every piece they serve. The reference is the same herd with the same relays, which change nothing. Every file that comes is compared with the source.",
    )
    .option("--hosts <n>", "hosts of the herd", countFlag, 12)
    .option("--liars-share <share>", "share of them that lies, at least one", shareFlag, 0.1)
    .addOption(new Option("--size <bytes>", "size of the file").argParser(sizeFlag).default(2 ** 26, "64MiB"))
    .addOption(
      new Option("--upload-rate <bytes>", "of each host, a second: the link, so that time means something on few cores")
        .argParser(sizeFlag)
        .default(5 * 2 ** 20, "5MiB"),
    )
    .option("--runs <n>", "herds of each kind, in turns", countFlag, 3)
    .option("--folder <folder>", "put files there; the system's temporary folder otherwise")
    .option("--json", "print the result as one object, on the last line of standard output", false)
    .action(async (flags: Flags) => {
      const where = flags.folder === undefined ? {} : { folder: flags.folder };
      finish(
        await runBench({ bench: "liars", args, json: flags.json, ...where }, (workbench) => measure(workbench, flags)),
      );
    });
}

async function measure(workbench: Workbench, flags: Flags) {
  const nginx = await startNginx(workbench);
  const path = join(nginx.root, "model.bin");
  await writeTestFile(path, flags.size);
  const relayCount = Math.max(1, Math.round(flags.hosts * flags.liarsShare));
  const url = `${nginx.url}/model.bin`;
  const options = { hostCount: flags.hosts, relayCount, url, path, uploadRateBps: flags.uploadRate };
  const herd = async (name: string, lying: boolean) => {
    const run = await runHerd(workbench, name, { ...options, lying });
    workbench.say(`  ${name}: ${number(run.seconds)} s, ${run.badBytes} bad bytes`);
    return run;
  };
  workbench.say(`herds of ${flags.hosts} hosts, ${relayCount} of them behind a relay`);
  const pairs = await inTurns(
    flags.runs,
    (run) => herd(`lying-${run + 1}`, true),
    (run) => herd(`honest-${run + 1}`, false),
  );
  return {
    runs: flags.runs,
    figures: figuresOf(pairs),
    notes: [boundNote(flags, relayCount), ...notesOf(pairs, flags)],
  };
}

function figuresOf(pairs: readonly Pair<HerdRun, HerdRun>[]): Figure[] {
  const cutOffs = pairs.flatMap(({ ours }) => ours.reports.flatMap(({ cutOff }) => cutOff ?? []));
  const figures: Figure[] = [
    {
      name: "liars.bad_bytes",
      unit: "bytes",
      better: "lower",
      value: "worst",
      samples: pairs.map(({ ours }) => ours.badBytes),
    },
    {
      name: "liars.vs_honest",
      unit: "time ratio",
      better: "lower",
      samples: pairs.map(({ ours, reference }) => ours.seconds / reference.seconds),
      reference: { name: "all honest", unit: "s", samples: pairs.map(({ reference }) => reference.seconds) },
    },
  ];
  if (cutOffs.length === 0) return figures;
  return [
    ...figures,
    {
      name: "liars.cut_off_ms",
      unit: "ms",
      better: "lower",
      value: "worst",
      samples: cutOffs.flatMap(({ lastAskMs }) => lastAskMs),
    },
    {
      name: "liars.rotten_pieces",
      unit: "pieces",
      better: "lower",
      value: "worst",
      samples: cutOffs.map(({ rottenCount }) => rottenCount),
    },
  ];
}

/** The source is read once and gives as fast as it is asked; everything else comes over the hosts' uploads. */
function boundNote({ hosts, size, uploadRate }: Flags, liarCount: number): string {
  const seconds = (uploaders: number) => ((hosts - 1) * size) / (uploaders * uploadRate);
  const [honest, lying] = [seconds(hosts), seconds(hosts - liarCount)];
  return (
    `uploads alone take ${number(honest)} s, and ${number(lying)} s without those of the liars: ` +
    `where they are the bottleneck no herd does better than ${number(lying / honest)} times`
  );
}

function notesOf(pairs: readonly Pair<HerdRun, HerdRun>[], { size }: Flags): string[] {
  const reports = pairs.flatMap(({ ours }) => ours.reports);
  const cutOffs = reports.flatMap(({ cutOff }) => cutOff ?? []);
  const askedCount = cutOffs.reduce((sum, { lastAskMs }) => sum + lastAskMs.length, 0);
  const goneCount = cutOffs.reduce((sum, cutOff) => sum + cutOff.goneCount, 0);
  const banned = reports.filter((report) => report.banned).length;
  const seconds = medianOf(pairs.map(({ ours }) => ours.seconds));
  const egress = (run: HerdRun) => run.sourceBytes / size;
  return [
    `${cutOffs.length} of ${reports.length} liars told a lie, ${banned} were banned by the scheduler; of ${askedCount} hosts that ` +
      `asked them for anything ${goneCount} asked nothing in the second half of the time after the first lie`,
    `the last host of a herd with liars was done after ${number(seconds)} s in the median`,
    `source read ${number(medianOf(pairs.map(({ ours }) => egress(ours))))} times with liars, ` +
      `${number(medianOf(pairs.map(({ reference }) => egress(reference))))} times without`,
  ];
}
