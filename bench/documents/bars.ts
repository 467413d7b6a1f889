/** The four bars of the documents' chart, measured. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { RunningPeer } from "../../tests/fixtures/cluster.ts";
import { removeTask } from "../lib/bench-cluster.ts";
import type { Figure } from "../lib/figure.ts";
import { inTurns } from "../lib/repeat.ts";
import { touchMemory } from "../lib/touch-memory.ts";
import type { Workbench } from "../lib/workbench.ts";
import type { Scene } from "./scene.ts";

/** Seconds of each run. */
export interface Bars {
  readonly sizeBytes: number;
  /** curl with the signed URL, straight from the store. */
  readonly direct: readonly number[];
  /** Through us, nobody has it. */
  readonly cold: readonly number[];
  /** Through us, other hosts have it. */
  readonly remote: readonly number[];
  /** Through us, the peer of this machine has it. */
  readonly local: readonly number[];
}

export async function measureBars(workbench: Workbench, scene: Scene, sizeBytes: number, runs: number): Promise<Bars> {
  const url = await scene.signedUrl(sizeBytes);
  const output = join(workbench.folder, "model.bin");
  const direct = async () => {
    const { seconds } = await workbench.runWell(["curl", "-sSf", "-o", output, url]);
    await rm(output);
    workbench.say(`  direct ${seconds.toFixed(2)} s`);
    return seconds;
  };
  const ours = async (run: number) => {
    const { cluster, first, second, seeds } = scene;
    const tag = `${sizeBytes}-${run}`;
    const pull = async (peer: RunningPeer, from: "sourceBytes" | "peerBytes" | "localBytes" | undefined) => {
      const { seconds, result } = await cluster.getWell(peer, url, output, { tag });
      if (from !== undefined && result[from] !== sizeBytes) throw new Error(`${from} is only ${result[from]}`);
      await rm(output);
      return { seconds, taskId: result.taskId };
    };
    const cold = await pull(first, undefined);
    // Not bound by the store's link, so it matters how the machine is found.
    await touchMemory(workbench.folder, sizeBytes);
    const remote = await pull(second, "peerBytes");
    const local = await pull(first, "localBytes");
    for (const peer of [...seeds, first, second]) await removeTask(peer, cold.taskId);
    const bars = { cold: cold.seconds, remote: remote.seconds, local: local.seconds };
    workbench.say(
      `  cold boot ${bars.cold.toFixed(2)} s, remote peer ${bars.remote.toFixed(2)} s, local peer ${bars.local.toFixed(2)} s`,
    );
    return bars;
  };
  const pairs = await inTurns(runs, ours, direct);
  return {
    sizeBytes,
    direct: pairs.map(({ reference }) => reference),
    cold: pairs.map((pair) => pair.ours.cold),
    remote: pairs.map((pair) => pair.ours.remote),
    local: pairs.map((pair) => pair.ours.local),
  };
}

/** How figures of a kind of bars are called, and what they are compared with. */
export interface BarNames {
  readonly prefix: string;
  readonly direct: string;
}

export function figuresOf({ sizeBytes, direct, cold, remote, local }: Bars, names: BarNames): Figure[] {
  const reference = { name: names.direct, unit: "s", samples: direct };
  const against = (seconds: readonly number[], ratio: (direct: number, ours: number) => number) =>
    seconds.map((ours, run) => ratio(direct[run] ?? Number.NaN, ours));
  const overhead = (straight: number, ours: number) => ours / straight;
  const speedup = (straight: number, ours: number) => straight / ours;
  const shared = { sizeBytes, reference };
  return [
    {
      name: `${names.prefix}.cold.vs_direct`,
      unit: "time ratio",
      better: "lower",
      samples: against(cold, overhead),
      ...shared,
    },
    {
      name: `${names.prefix}.remote.speedup`,
      unit: "x",
      better: "higher",
      samples: against(remote, speedup),
      ...shared,
    },
    { name: `${names.prefix}.local.speedup`, unit: "x", better: "higher", samples: against(local, speedup), ...shared },
  ];
}
