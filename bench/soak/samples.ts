/** Memory and open files of every process of ours, every few seconds. */
import { setTimeout as delay } from "node:timers/promises";
import { memoryOf, openFileCountOf } from "../lib/processes.ts";
import { type Sample, type Trend, trendOf } from "../lib/trend.ts";
import type { Tally } from "./tally.ts";
import type { World } from "./world.ts";

const INTERVAL_MS = 3000;

/** One life of one process. */
interface Life {
  readonly name: string;
  readonly rssMb: Sample[];
  readonly openFiles: Sample[];
}

/** How one process did that lived through the whole soak. */
export interface LifeTrend {
  readonly name: string;
  readonly rssMb: Trend;
  readonly openFiles: Trend;
  readonly lastRssMb: number;
  readonly lastOpenFiles: number;
}

export class Samples {
  readonly #lives = new Map<number, Life>();

  /** Samples until it is over. A process that ended although nobody killed it is a failure. */
  async collect(world: World, tally: Tally, over: AbortSignal): Promise<void> {
    const dead = new Set<string>();
    while (!over.aborted) {
      const processes = [
        { name: "scheduler", daemon: world.cluster.scheduler.daemon },
        ...world.slots.flatMap(({ name, peer }) => (peer === undefined ? [] : [{ name, daemon: peer.daemon }])),
      ];
      for (const { name, daemon } of processes) {
        const taken = await this.#take(name, daemon.pid);
        // Killed between two looks: its slot has another process by now.
        const stillThere = name === "scheduler" || world.slots.some(({ peer }) => peer?.daemon === daemon);
        if (!taken && stillThere && !dead.has(name)) {
          dead.add(name);
          tally.fail(`${name} ended by itself: ${daemon.log().slice(-500)}`);
        }
      }
      await delay(INTERVAL_MS, undefined, { signal: over }).catch(() => undefined);
    }
  }

  /** Of the processes that were there from the first sample to the last. */
  trends(): LifeTrend[] {
    const lives = [...this.#lives.values()];
    const longest = Math.max(0, ...lives.map(({ rssMb }) => rssMb.length));
    return lives
      .filter(({ rssMb }) => rssMb.length >= longest - 1)
      .map(({ name, rssMb, openFiles }) => ({
        name,
        rssMb: trendOf(rssMb),
        openFiles: trendOf(openFiles),
        lastRssMb: rssMb.at(-1)?.value ?? 0,
        lastOpenFiles: openFiles.at(-1)?.value ?? 0,
      }));
  }

  async #take(name: string, pid: number): Promise<boolean> {
    try {
      const [memory, openFiles] = await Promise.all([memoryOf(pid), openFileCountOf(pid)]);
      const life = this.#lives.get(pid) ?? { name, rssMb: [], openFiles: [] };
      this.#lives.set(pid, life);
      const atMs = performance.now();
      life.rssMb.push({ atMs, value: memory.rssBytes / 1e6 });
      life.openFiles.push({ atMs, value: openFiles });
      return true;
    } catch {
      return false;
    }
  }
}
