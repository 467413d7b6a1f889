/** Whole files through the proxy: what is here already, and what goes straight through. */
import { link, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { cpuSecondsOf } from "../lib/processes.ts";
import { inTurns } from "../lib/repeat.ts";
import { medianOf } from "../lib/stats.ts";
import type { Measured, ProxyLab } from "./proxy-lab.ts";

/** They are short, so there are more of them. */
const RUNS_FACTOR = 2;

export async function measureLocalHit(lab: ProxyLab): Promise<Measured> {
  const { nginx, proxy, options } = lab;
  await mkdir(join(nginx.root, "models"), { recursive: true });
  await link(join(nginx.root, "plain.bin"), join(nginx.root, "models/held.bin"));
  const url = `${nginx.url}/models/held.bin`;
  // Fetched by the first, held from then on.
  await lab.curl(url, proxy);
  const pairs = await inTurns(
    options.runs * RUNS_FACTOR,
    () => lab.curl(url, proxy),
    () => lab.curl(url, undefined),
  );
  return {
    figures: [
      {
        name: "proxy.local_hit.vs_nginx",
        unit: "speed ratio",
        better: "higher",
        samples: pairs.map(({ ours, reference }) => reference / ours),
        reference: {
          name: "nginx sendfile",
          unit: "bytes/s",
          samples: pairs.map(({ reference }) => options.sizeBytes / reference),
        },
      },
    ],
    notes: [],
  };
}

export async function measurePassThrough(lab: ProxyLab): Promise<Measured> {
  const { nginx, proxy, squid, peer, options } = lab;
  const url = `${nginx.url}/plain.bin`;
  const spent = async (pid: number, what: () => Promise<number>) => {
    const before = await cpuSecondsOf(pid);
    const seconds = await what();
    return { seconds, cpuPerGb: ((await cpuSecondsOf(pid)) - before) / (options.sizeBytes / 1e9) };
  };
  const pairs = await inTurns(
    options.runs * RUNS_FACTOR,
    () => spent(peer.daemon.pid, () => lab.curl(url, proxy)),
    () => spent(squid.daemon.pid, () => lab.curl(url, squid.url)),
  );
  const [own, other] = [pairs.map(({ ours }) => ours.cpuPerGb), pairs.map(({ reference }) => reference.cpuPerGb)];
  return {
    figures: [
      {
        name: "proxy.pass_through.vs_squid",
        unit: "time ratio",
        better: "lower",
        samples: pairs.map(({ ours, reference }) => ours.seconds / reference.seconds),
        reference: {
          name: "squid without a cache",
          unit: "bytes/s",
          samples: pairs.map(({ reference }) => options.sizeBytes / reference.seconds),
        },
      },
    ],
    notes: [
      `straight through: ours took ${medianOf(own).toFixed(2)} CPU s/GB in the median, squid ${medianOf(other).toFixed(2)}`,
    ],
  };
}
