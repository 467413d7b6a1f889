/** One host, nobody to trade with: `pantala get` beside `curl -o` on the same source. */
import { rm } from "node:fs/promises";
import { removeTask } from "../lib/bench-cluster.ts";
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
    return seconds;
  };
  const curl = async () => {
    const output = lab.newOutput();
    await lab.settle();
    const { seconds } = await workbench.runWell(["curl", "-sSf", "-o", output, url]);
    await rm(output);
    return seconds;
  };
  const pairs = await inTurns(options.runs, ours, curl);
  return {
    figures: [
      {
        name: "cold.vs_curl",
        unit: "time ratio",
        better: "lower",
        samples: pairs.map((pair) => pair.ours / pair.reference),
        reference: { name: "curl -o", unit: "s", samples: pairs.map(({ reference }) => reference) },
      },
    ],
    notes: [
      `cold: ours took ${medianOf(pairs.map((pair) => pair.ours)).toFixed(2)} s in the median, the command's start included`,
    ],
  };
}
