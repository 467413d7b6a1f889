/** `bun run bench single` */
import { type Command, Option } from "commander";
import type { Figure } from "../lib/figure.ts";
import { countFlag, listFlag, sizeFlag } from "../lib/flags.ts";
import { runBench } from "../lib/run-bench.ts";
import type { Workbench } from "../lib/workbench.ts";
import { COLD } from "./cold.ts";
import { FIRST_BYTE } from "./first-byte.ts";
import { GET_LOCAL } from "./get-local.ts";
import { Lab, type Measurement, type SingleOptions } from "./lab.ts";
import { LOCAL_HIT } from "./local-hit.ts";
import { IDLE_MEMORY, TRANSFER_MEMORY } from "./memory.ts";
import { SMALL } from "./small.ts";
import { WARM } from "./warm.ts";

const MEASUREMENTS: readonly Measurement[] = [
  IDLE_MEMORY,
  COLD,
  WARM,
  LOCAL_HIT,
  GET_LOCAL,
  SMALL,
  FIRST_BYTE,
  TRANSFER_MEMORY,
];
const ALL_NAMES = MEASUREMENTS.flatMap(({ names }) => names);

interface Flags {
  readonly size: number;
  readonly rssSize?: number;
  readonly runs: number;
  readonly only: string[];
  readonly folder?: string;
  readonly json: boolean;
}

export function addSingleCommand(program: Command, args: readonly string[], finish: (exitCode: number) => void): void {
  program
    .command("single")
    .summary("one transfer at a time: speed, CPU and memory beside nginx and curl")
    .description(
      "One transfer at a time on loopback, beside nginx and curl (installed from Debian's packages when missing and\nrunning as root). Everything runs in temporary folders and ends with it.",
    )
    .addOption(new Option("--size <bytes>", "size of the big file").argParser(sizeFlag).default(2 ** 30, "1GiB"))
    .option(
      "--rss-size <bytes>",
      "size of the transfer whose memory is measured; the goal's 10GiB by default, less where the disk has no room for two copies",
      sizeFlag,
    )
    .option("--runs <n>", "runs of each, ours and the reference in turns", countFlag, 3)
    .option("--only <name>", "only this figure or its group, such as warm; repeatable", listFlag, [])
    .option("--folder <folder>", "put files there, such as /dev/shm; the system's temporary folder otherwise")
    .option("--json", "print the result as one object, on the last line of standard output", false)
    .addHelpText("after", `\nFigures:\n  ${ALL_NAMES.join("\n  ")}`)
    .action(async (flags: Flags, command: Command) => {
      const measurements = MEASUREMENTS.filter(
        ({ names }) => flags.only.length === 0 || names.some((name) => flags.only.some((only) => isOf(name, only))),
      );
      const unknown = flags.only.find((only) => !ALL_NAMES.some((name) => isOf(name, only)));
      if (unknown !== undefined)
        command.error(`error: there is no figure ${unknown}; there are: ${ALL_NAMES.join(", ")}`);
      const rss = flags.rssSize === undefined ? {} : { rssSizeBytes: flags.rssSize };
      const options = { sizeBytes: flags.size, runs: flags.runs, ...rss };
      const where = flags.folder === undefined ? {} : { folder: flags.folder };
      finish(
        await runBench({ bench: "single", args, json: flags.json, ...where }, (workbench) =>
          measureAll(workbench, measurements, options),
        ),
      );
    });
}

/** `warm` names all of its group, `warm.bytes_per_s` one figure. */
function isOf(name: string, only: string): boolean {
  return name === only || name.startsWith(`${only}.`);
}

async function measureAll(workbench: Workbench, measurements: readonly Measurement[], options: SingleOptions) {
  const lab = await Lab.start(workbench, options);
  const figures: Figure[] = [];
  const notes: string[] = [];
  for (const { title, measure } of measurements) {
    workbench.say(title);
    const measured = await measure(lab);
    figures.push(...measured.figures);
    notes.push(...(measured.notes ?? []));
  }
  return { runs: options.runs, figures, notes };
}
