/** `bun run bench documents` */
import { writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { countFlag, sizeFlag, sizesFlag } from "../lib/flags.ts";
import { ensureCurl } from "../lib/nginx.ts";
import { runBench } from "../lib/run-bench.ts";
import { medianOf } from "../lib/stats.ts";
import type { Workbench } from "../lib/workbench.ts";
import { barChart } from "./bar-chart.ts";
import { type BarNames, type Bars, figuresOf, measureBars } from "./bars.ts";
import { setScene } from "./scene.ts";
import { measureTorchServeBars, withTorchServe } from "./torchserve-bars.ts";

interface Flags {
  readonly sizes: number[];
  readonly storeRate: number;
  readonly peerRate?: number;
  readonly seeds: string;
  readonly torchserve: boolean;
  readonly runs: number;
  readonly svg?: string;
  readonly folder?: string;
  readonly json: boolean;
}

const BY_COMMAND: BarNames = { prefix: "documents", direct: "curl from the store" };
const BY_TORCHSERVE: BarNames = { prefix: "documents.torchserve", direct: "TorchServe by signed URL" };

export function addDocumentsCommand(
  program: Command,
  args: readonly string[],
  finish: (exitCode: number) => void,
): void {
  program
    .command("documents")
    .summary("the chart of the TorchServe and Triton documents: direct, cold boot, remote peer, local peer")
    .description(
      "Pulls a model file from an S3 store over a limited link by the signed URL that TorchServe and Triton would be\ngiven: direct with curl, cold boot through us, from another host, from the peer of this machine.",
    )
    .addOption(
      new Option("--sizes <list>", "sizes of the model file").argParser(sizesFlag).default([0.5e9, 2e9], "0.5GB,2GB"),
    )
    .addOption(
      new Option("--store-rate <bytes>", "link of the store, bytes a second: see docs/benchmarks.md")
        .argParser(sizeFlag)
        .default(92e6, "92MB"),
    )
    .option("--peer-rate <bytes>", "link of every peer, bytes a second; unlimited otherwise", sizeFlag)
    .option("--seeds <n>", "seeds in the cluster, 0 to 4", "1")
    .option("--torchserve", "until a real TorchServe has registered the model: by the signed URL, by the face", false)
    .option("--runs <n>", "runs of each, ours and the reference in turns", countFlag, 3)
    .option("--svg <file>", "draw the bar chart")
    .option("--folder <folder>", "put files there; the system's temporary folder otherwise")
    .option("--json", "print the result as one object, on the last line of standard output", false)
    .action(async (flags: Flags, command: Command) => {
      if (!/^[0-4]$/.test(flags.seeds)) command.error(`error: --seeds ${flags.seeds}: it must be from 0 to 4`);
      const where = flags.folder === undefined ? {} : { folder: flags.folder };
      finish(
        await runBench({ bench: "documents", args, json: flags.json, ...where }, (workbench) =>
          measure(workbench, flags),
        ),
      );
    });
}

async function measure(workbench: Workbench, flags: Flags) {
  await ensureCurl();
  const { sizes, storeRate, peerRate, runs, svg } = flags;
  const scene = await setScene(workbench, {
    sizesBytes: sizes,
    storeRateBps: storeRate,
    seeds: Number(flags.seeds),
    archives: flags.torchserve,
    ...(peerRate === undefined ? {} : { peerRateBps: peerRate }),
  });
  const all: Bars[] = [];
  const notes: string[] = [];
  const served = flags.torchserve ? await withTorchServe(workbench, scene) : undefined;
  for (const sizeBytes of sizes) {
    workbench.say(`${sizeBytes / 1e9} GB, ${runs} runs`);
    if (served === undefined) all.push(await measureBars(workbench, scene, sizeBytes, runs));
    else {
      const { register, ...bars } = await measureTorchServeBars(workbench, served, sizeBytes, runs);
      all.push(bars);
      const seconds = medianOf(register).toFixed(2);
      notes.push(`${sizeBytes / 1e9} GB: ${seconds} s of each bar TorchServe itself needs to register the archive`);
    }
  }
  const links = `store link ${storeRate / 1e6} MB/s, peers ${peerRate === undefined ? "on loopback" : `${peerRate / 1e6} MB/s`}`;
  if (svg !== undefined) {
    await writeFile(svg, barChart(all, { subtitle: `S3 store with signed URLs, ${links}; median of ${runs} runs` }));
    workbench.say(`drew ${svg}`);
  }
  const seeds = `${flags.seeds} seed${flags.seeds === "1" ? "" : "s"}`;
  return {
    runs,
    figures: all.flatMap((bars) => figuresOf(bars, flags.torchserve ? BY_TORCHSERVE : BY_COMMAND)),
    notes: [
      flags.torchserve
        ? `${links}; ${seeds} and two peers; through the face of TorchServe 0.12.0, until the model is registered`
        : `${links}; ${seeds} and two peers; times include the start of each command`,
      ...notes,
    ],
  };
}
