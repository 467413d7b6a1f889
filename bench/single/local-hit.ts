/** A complete task read by curl from the piece port, beside the same file read by curl from nginx: how fast, and what it
 *  costs whoever serves. */

import type { Daemon } from "../../tests/fixtures/daemon.ts";
import { cpuSecondsOf } from "../lib/processes.ts";
import { inTurns } from "../lib/repeat.ts";
import { authorizationFor } from "../lib/tickets.ts";
import type { Lab, Measured, Measurement } from "./lab.ts";

export const LOCAL_HIT: Measurement = {
  names: ["local_hit.vs_nginx", "serve.cpu_s_per_gb"],
  title: "local hit: curl reads the piece port, beside curl reading nginx",
  measure,
};

async function measure(lab: Lab): Promise<Measured> {
  const { workbench, cluster, parent, nginx, options } = lab;
  const { taskId } = await lab.held();
  const url = await lab.heldAtNginx();
  const { host } = await parent.status();
  const pieces = `${host.address}/v1/tasks/${taskId}/content`;
  const authorization = await authorizationFor(taskId, cluster.token);
  const curl = async (server: Daemon, target: string, ...flags: string[]) => {
    const before = await cpuSecondsOf(server.pid);
    const { seconds, stdout } = await workbench.runWell([
      "curl",
      "-sSf",
      "-o",
      "/dev/null",
      "-w",
      "%{size_download}",
      ...flags,
      target,
    ]);
    if (Number(stdout) !== options.sizeBytes) throw new Error(`${target} gave ${stdout} bytes`);
    return { seconds, cpuPerGb: ((await cpuSecondsOf(server.pid)) - before) / (options.sizeBytes / 1e9) };
  };
  // Short, so there are more of them.
  const runs = options.runs * 2;
  const pairs = await inTurns(
    runs,
    () => curl(parent.daemon, pieces, "-H", `authorization: ${authorization}`),
    () => curl(nginx.daemon, url),
  );
  return {
    figures: [
      {
        name: "local_hit.vs_nginx",
        unit: "speed ratio",
        better: "higher",
        samples: pairs.map((pair) => pair.reference.seconds / pair.ours.seconds),
        reference: {
          name: "nginx sendfile",
          unit: "bytes/s",
          samples: pairs.map(({ reference }) => options.sizeBytes / reference.seconds),
        },
      },
      {
        name: "serve.cpu_s_per_gb",
        unit: "CPU s/GB",
        better: "lower",
        samples: pairs.map((pair) => pair.ours.cpuPerGb),
        reference: { name: "nginx", unit: "CPU s/GB", samples: pairs.map(({ reference }) => reference.cpuPerGb) },
      },
    ],
  };
}
