/** `bun run bench proxy` */
import { type Command, Option } from "commander";
import type { Figure } from "../lib/figure.ts";
import { countFlag, sizeFlag } from "../lib/flags.ts";
import { runBench } from "../lib/run-bench.ts";
import type { Workbench } from "../lib/workbench.ts";
import { ProxyLab, type ProxyOptions } from "./proxy-lab.ts";
import { measureCold, measureSmall } from "./small-and-cold.ts";
import { measureLocalHit, measurePassThrough } from "./transfers.ts";

interface Flags {
  readonly size: number;
  readonly runs: number;
  readonly folder?: string;
  readonly json: boolean;
}

const MEASUREMENTS = [
  ["what is here already, beside nginx", measureLocalHit],
  ["what goes straight through, beside squid", measurePassThrough],
  ["10 KiB straight through, beside squid", measureSmall],
  ["the first byte of an object of 10 GiB that nobody has, beside nginx asked directly", measureCold],
] as const;

export function addProxyCommand(program: Command, args: readonly string[], finish: (exitCode: number) => void): void {
  program
    .command("proxy")
    .summary("the proxy of a peer: local hits, what goes straight through, the first byte, beside nginx and squid")
    .description(
      "The proxy of a peer on loopback, read by curl, beside nginx and squid (installed from Debian's packages when\nmissing and running as root). Everything runs in temporary folders and ends with it.",
    )
    .addOption(new Option("--size <bytes>", "size of the big file").argParser(sizeFlag).default(2 ** 30, "1GiB"))
    .option("--runs <n>", "runs of each, ours and the reference in turns; short ones are multiplied", countFlag, 3)
    .option("--folder <folder>", "put files there, such as /dev/shm; the system's temporary folder otherwise")
    .option("--json", "print the result as one object, on the last line of standard output", false)
    .action(async ({ size, runs, folder, json }: Flags) => {
      const where = folder === undefined ? {} : { folder };
      finish(
        await runBench({ bench: "proxy", args, json, ...where }, (workbench) =>
          measureAll(workbench, { sizeBytes: size, runs }),
        ),
      );
    });
}

async function measureAll(workbench: Workbench, options: ProxyOptions) {
  const lab = await ProxyLab.start(workbench, options);
  const figures: Figure[] = [];
  const notes: string[] = [];
  for (const [title, measure] of MEASUREMENTS) {
    workbench.say(title);
    const measured = await measure(lab);
    figures.push(...measured.figures);
    notes.push(...measured.notes);
  }
  return { runs: options.runs, figures, notes };
}
