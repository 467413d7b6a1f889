/** A complete task read by curl from the piece port, beside the same file read by curl from nginx. */

import { inTurns } from "../lib/repeat.ts";
import { authorizationFor } from "../lib/tickets.ts";
import type { Lab, Measured, Measurement } from "./lab.ts";

export const LOCAL_HIT: Measurement = {
  names: ["local_hit.vs_nginx"],
  title: "local hit: curl reads the piece port, beside curl reading nginx",
  measure,
};

async function measure(lab: Lab): Promise<Measured> {
  const { workbench, cluster, parent, options } = lab;
  const { taskId } = await lab.held();
  const nginx = await lab.heldAtNginx();
  const { host } = await parent.status();
  const pieces = `${host.address}/v1/tasks/${taskId}/content`;
  const authorization = await authorizationFor(taskId, cluster.token);
  const curl = async (url: string, ...flags: string[]) => {
    const { seconds, stdout } = await workbench.runWell([
      "curl",
      "-sSf",
      "-o",
      "/dev/null",
      "-w",
      "%{size_download}",
      ...flags,
      url,
    ]);
    if (Number(stdout) !== options.sizeBytes) throw new Error(`${url} gave ${stdout} bytes`);
    return seconds;
  };
  // Short, so there are more of them.
  const runs = options.runs * 2;
  const pairs = await inTurns(
    runs,
    () => curl(pieces, "-H", `authorization: ${authorization}`),
    () => curl(nginx),
  );
  return {
    figures: [
      {
        name: "local_hit.vs_nginx",
        unit: "speed ratio",
        better: "higher",
        samples: pairs.map((pair) => pair.reference / pair.ours),
        reference: {
          name: "nginx sendfile",
          unit: "bytes/s",
          samples: pairs.map(({ reference }) => options.sizeBytes / reference),
        },
      },
    ],
  };
}
