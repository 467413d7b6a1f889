/** A file of 10 KiB that another host holds: what the peer needs for it, and what the whole command does. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { localGet } from "../lib/bench-cluster.ts";
import { inTurns } from "../lib/repeat.ts";
import { writeTestFile } from "../lib/test-file.ts";
import type { Lab, Measured, Measurement } from "./lab.ts";

const SIZE_BYTES = 10 * 1024;
/** Tasks got through the local API; each takes some milliseconds. */
const RUNS_FACTOR = 7;

export const SMALL: Measurement = {
  names: ["small.ms", "small.command_ms"],
  title: "small: 10 KiB that another host holds, beside curl reading them from nginx",
  measure,
};

async function measure(lab: Lab): Promise<Measured> {
  const { workbench, cluster, parent, child, nginx, options } = lab;
  await writeTestFile(join(nginx.root, "small.bin"), SIZE_BYTES);
  const url = `${nginx.url}/small.bin`;
  let fromPeers = 0;

  const throughApi = async (run: number) => {
    const tag = `small-${run}`;
    await localGet(parent, url, tag);
    const { ms, peerBytes } = await localGet(child, url, tag);
    if (peerBytes === SIZE_BYTES) fromPeers++;
    return ms;
  };
  const roundTrip = async () => {
    const startedAtMs = performance.now();
    await (await fetch(url, { headers: { connection: "close" } })).arrayBuffer();
    return performance.now() - startedAtMs;
  };
  const byApi = await inTurns(options.runs * RUNS_FACTOR, throughApi, roundTrip);

  const command = async (run: number) => {
    const tag = `small-command-${run}`;
    await localGet(parent, url, tag);
    const output = lab.newOutput();
    const { seconds } = await cluster.getWell(child, url, output, { tag });
    await rm(output);
    return seconds * 1000;
  };
  const curl = async () => (await workbench.runWell(["curl", "-sSf", "-o", "/dev/null", url])).seconds * 1000;
  const byCommand = await inTurns(options.runs, command, curl);

  return {
    figures: [
      {
        name: "small.ms",
        unit: "ms",
        better: "lower",
        samples: byApi.map((pair) => pair.ours),
        reference: { name: "HTTP GET from nginx", unit: "ms", samples: byApi.map(({ reference }) => reference) },
      },
      {
        name: "small.command_ms",
        unit: "ms",
        better: "lower",
        samples: byCommand.map((pair) => pair.ours),
        reference: { name: "curl from nginx", unit: "ms", samples: byCommand.map(({ reference }) => reference) },
      },
    ],
    notes: [`small: ${fromPeers} of ${byApi.length} came from the other host, the rest from nginx`],
  };
}
