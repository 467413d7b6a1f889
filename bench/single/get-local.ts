/** `pantala get` of what the peer of this machine holds, beside the start of the command that does nothing. */
import { rm } from "node:fs/promises";
import { PANTALA } from "../../tests/fixtures/cluster.ts";
import { inTurns } from "../lib/repeat.ts";
import type { Lab, Measured, Measurement } from "./lab.ts";

export const GET_LOCAL: Measurement = {
  names: ["get_local.seconds"],
  title: "get local: pantala get of a task the peer holds, beside pantala --version",
  measure,
};

async function measure(lab: Lab): Promise<Measured> {
  const { workbench, cluster, parent, options } = lab;
  const { url, tag } = await lab.held();
  const ours = async () => {
    const output = lab.newOutput();
    const { seconds, result } = await cluster.getWell(parent, url, output, { tag });
    if (result.localBytes !== options.sizeBytes) throw new Error(`Only ${result.localBytes} bytes were local`);
    await rm(output);
    return seconds;
  };
  const start = async () => (await workbench.runWell([...PANTALA, "--version"])).seconds;
  const pairs = await inTurns(options.runs * 2, ours, start);
  return {
    figures: [
      {
        name: "get_local.seconds",
        unit: "s",
        better: "lower",
        samples: pairs.map((pair) => pair.ours),
        reference: { name: "start of the command alone", unit: "s", samples: pairs.map(({ reference }) => reference) },
      },
    ],
  };
}
