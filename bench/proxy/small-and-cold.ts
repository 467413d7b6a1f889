/** How long people wait before anything comes: small answers straight through, and objects that nobody has. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LocalTask } from "../../schema/wire/local.ts";
import { removeTask } from "../lib/bench-cluster.ts";
import { firstByteOf } from "../lib/first-byte.ts";
import { inTurns } from "../lib/repeat.ts";
import { medianOf } from "../lib/stats.ts";
import { writeSparseFile } from "../lib/test-file.ts";
import type { Measured, ProxyLab } from "./proxy-lab.ts";

const OBJECT_BYTES = 10 * 2 ** 30;
/** They are very short, so there are many more of them. */
const RUNS_FACTOR = 5;
const SMALL_RUNS_FACTOR = 20;
const LIMIT_MS = 5000;
/** What a peer may fetch before it hears that its reader has gone. */
const TOUCHED_BYTES = 256 * 2 ** 20;

export async function measureSmall(lab: ProxyLab): Promise<Measured> {
  const { workbench, nginx, squid, proxy, options } = lab;
  await writeFile(join(nginx.root, "small.bin"), Buffer.alloc(10_240, 7));
  const through = async (server: string) => {
    const startedAtMs = performance.now();
    const response = await fetch(`${nginx.url}/small.bin`, { proxy: server, signal: workbench.signal });
    if ((await response.arrayBuffer()).byteLength !== 10_240) throw new Error(`${server} gave another file`);
    return performance.now() - startedAtMs;
  };
  await Promise.all([through(proxy), through(squid.url)]);
  const pairs = await inTurns(
    options.runs * SMALL_RUNS_FACTOR,
    () => through(proxy),
    () => through(squid.url),
  );
  return {
    figures: [
      {
        name: "proxy.pass_through.small_ms",
        unit: "ms",
        better: "lower",
        samples: pairs.map(({ ours }) => ours),
        reference: { name: "squid without a cache", unit: "ms", samples: pairs.map(({ reference }) => reference) },
      },
    ],
    notes: [],
  };
}

export async function measureCold(lab: ProxyLab): Promise<Measured> {
  const { workbench, nginx, peer, proxy, options } = lab;
  await mkdir(join(nginx.root, "models"), { recursive: true });
  // Sparse: the disk of the source shall not be what is measured.
  await writeSparseFile(join(nginx.root, "models/object.bin"), OBJECT_BYTES);
  const url = `${nginx.url}/models/object.bin`;
  const through = async (run: number) => {
    await lab.settle(TOUCHED_BYTES);
    const tag = `cold-${run}`;
    const init = { proxy, headers: { "x-dragonfly-tag": tag, connection: "close" } };
    const first = await firstByteOf(url, init, LIMIT_MS, workbench.signal);
    const { items } = await peer.local<{ items: LocalTask[] }>("/v1/tasks");
    for (const task of items) if (task.tag === tag) await removeTask(peer, task.taskId);
    return first;
  };
  const direct = () => firstByteOf(url, { headers: { connection: "close" } }, LIMIT_MS, workbench.signal);
  // Code that runs for the first time is slow, on either side.
  await through(-1);
  await direct();
  const pairs = await inTurns(options.runs * RUNS_FACTOR, through, direct);
  const late = pairs.filter(({ ours }) => !ours.came).length;
  return {
    figures: [
      {
        name: "proxy.cold.extra_ms",
        unit: "ms",
        better: "lower",
        samples: pairs.map(({ ours, reference }) => ours.ms - reference.ms),
        reference: { name: "nginx asked directly", unit: "ms", samples: pairs.map(({ reference }) => reference.ms) },
      },
    ],
    notes: [
      `cold: ours came after ${medianOf(pairs.map(({ ours }) => ours.ms)).toFixed(1)} ms in the median`,
      ...(late > 0 ? [`cold: ${late} of ${pairs.length} not within ${LIMIT_MS / 1000} s, and counted as if then`] : []),
    ],
  };
}
