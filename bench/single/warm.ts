/** A parent has it, a child gets it: verified, on disk, under its name. The same runs give what serving and receiving
 *  cost in CPU. */
import { rm } from "node:fs/promises";
import { removeTask } from "../lib/bench-cluster.ts";
import { cpuSecondsOf } from "../lib/processes.ts";
import { inTurns } from "../lib/repeat.ts";
import type { Lab, Measured, Measurement } from "./lab.ts";

export const WARM: Measurement = {
  names: ["warm.bytes_per_s", "serve.pieces.cpu_s_per_gb", "receive.cpu_s_per_gb"],
  title: "warm: a child gets from its parent, beside curl -o from nginx (which verifies nothing)",
  measure,
};

async function measure(lab: Lab): Promise<Measured> {
  const { workbench, cluster, parent, child, nginx, options } = lab;
  const { url, tag } = await lab.held();
  const reference = await lab.heldAtNginx();
  const ours = async () => {
    const output = lab.newOutput();
    await lab.settle();
    const before = { serve: await cpuSecondsOf(parent.daemon.pid), receive: await cpuSecondsOf(child.daemon.pid) };
    const { seconds, result } = await cluster.getWell(child, url, output, { tag });
    const serve = (await cpuSecondsOf(parent.daemon.pid)) - before.serve;
    const receive = (await cpuSecondsOf(child.daemon.pid)) - before.receive;
    if (result.peerBytes !== options.sizeBytes) throw new Error(`Only ${result.peerBytes} bytes came from the parent`);
    await rm(output);
    await removeTask(child, result.taskId);
    return { seconds, serve, receive };
  };
  const curl = async () => {
    const output = lab.newOutput();
    await lab.settle();
    const before = await cpuSecondsOf(nginx.daemon.pid);
    const { seconds, cpuSeconds } = await workbench.runWell(["curl", "-sSf", "-o", output, reference]);
    const serve = (await cpuSecondsOf(nginx.daemon.pid)) - before;
    await rm(output);
    return { seconds, serve, receive: cpuSeconds };
  };
  const pairs = await inTurns(options.runs, ours, curl);
  const perGb = (cpuSeconds: number) => cpuSeconds / (options.sizeBytes / 1e9);
  return {
    figures: [
      {
        name: "warm.bytes_per_s",
        unit: "bytes/s",
        better: "higher",
        samples: pairs.map((pair) => options.sizeBytes / pair.ours.seconds),
        reference: {
          name: "curl -o from nginx",
          unit: "bytes/s",
          samples: pairs.map((pair) => options.sizeBytes / pair.reference.seconds),
        },
      },
      {
        name: "serve.pieces.cpu_s_per_gb",
        unit: "CPU s/GB",
        better: "lower",
        samples: pairs.map((pair) => perGb(pair.ours.serve)),
        reference: { name: "nginx", unit: "CPU s/GB", samples: pairs.map((pair) => perGb(pair.reference.serve)) },
      },
      {
        name: "receive.cpu_s_per_gb",
        unit: "CPU s/GB",
        better: "lower",
        samples: pairs.map((pair) => perGb(pair.ours.receive)),
        reference: { name: "curl -o", unit: "CPU s/GB", samples: pairs.map((pair) => perGb(pair.reference.receive)) },
      },
    ],
  };
}
