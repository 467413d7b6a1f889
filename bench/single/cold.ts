/** One host, nobody to trade with: `pantala get` beside `curl -o` on the same source. */
import { rm } from "node:fs/promises";
import { removeTask } from "../lib/bench-cluster.ts";
import { number } from "../lib/figure-table.ts";
import { inTurns } from "../lib/repeat.ts";
import { medianOf } from "../lib/stats.ts";
import type { Lab, Measured, Measurement } from "./lab.ts";

export const COLD: Measurement = {
  names: ["cold.vs_curl"],
  title: "cold: one host reads nginx, beside curl",
  measure,
};

async function measure(lab: Lab): Promise<Measured> {
  const { workbench, cluster, parent, options } = lab;
  const url = await lab.bigFile();
  const ours = async (run: number) => {
    const output = lab.newOutput();
    await lab.settle();
    const { seconds, result } = await cluster.getWell(parent, url, output, { tag: `cold-${run}` });
    if (result.sourceBytes !== options.sizeBytes) throw new Error(`Only ${result.sourceBytes} bytes came from nginx`);
    await rm(output);
    await removeTask(parent, result.taskId);
    return { seconds, ownSeconds: result.elapsedMs / 1000 };
  };
  const curl = async () => {
    const output = lab.newOutput();
    await lab.settle();
    const { seconds, stdout } = await workbench.runWell(["curl", "-sSf", "-w", "%{time_total}", "-o", output, url]);
    await rm(output);
    return { seconds, ownSeconds: Number(stdout) };
  };
  const pairs = await inTurns(options.runs, ours, curl);
  return {
    figures: [
      {
        name: "cold.vs_curl",
        unit: "time ratio",
        better: "lower",
        samples: pairs.map(({ ours, reference }) => ours.seconds / reference.seconds),
        reference: { name: "curl -o", unit: "s", samples: pairs.map(({ reference }) => reference.seconds) },
      },
    ],
    notes: [
      `cold: ours took ${median(pairs.map((pair) => pair.ours.seconds))} s in the median, the command's start included; ` +
        `without the start of either command ours took ${median(pairs.map((pair) => pair.ours.ownSeconds))} s, ` +
        `curl ${median(pairs.map(({ reference }) => reference.ownSeconds))} s, ratio ` +
        median(pairs.map((pair) => pair.ours.ownSeconds / pair.reference.ownSeconds)),
    ],
  };
}

function median(values: readonly number[]): string {
  return number(medianOf(values));
}
