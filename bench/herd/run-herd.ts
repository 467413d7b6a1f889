/** One herd: every host asks for the file at the same moment, or in turn; ends when all that live have it. */
import { readFile, truncate } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { hashFile } from "../../peer/store/hash.ts";
import { removeTask } from "../lib/bench-cluster.ts";
import { busyShare, cpuTimes } from "../lib/busy.ts";
import { cpuSecondsOf } from "../lib/processes.ts";
import { type HerdGet, herdGet, type Mark } from "./herd-get.ts";
import type { HerdLab } from "./herd-lab.ts";
import { type HerdPlan, hostNames, ratesOf, seedNames } from "./plan.ts";
import { causeTroubles, type Trouble } from "./troubles.ts";

export interface HerdRun {
  readonly plan: HerdPlan;
  /** Of the hosts that got the file, in their order; `undefined` for one that was killed or failed. */
  readonly gets: readonly (HerdGet | undefined)[];
  /** Hosts that lived and did not get the file, with what they said. */
  readonly failures: readonly { readonly name: string; readonly problem: string }[];
  /** How far each host was at what time, also of those that were killed. */
  readonly curves: readonly (readonly Mark[])[];
  readonly troubles: readonly Trouble[];
  /** Bodies that the source sent, by its log. */
  readonly sourceBytes: number;
  /** What went out of its interface, with all headers and what was sent again. */
  readonly sourceWireBytes: number;
  /** What came into each zone from the others; empty where there is one zone. */
  readonly zoneBytes: readonly number[];
  /** What the scheduler counted; absent where it died, and its counts with it. */
  readonly scheduler?: { readonly messagesUp: number; readonly rows: number };
  /** Of all cores' time while it ran. */
  readonly busyShare: number;
  /** Of peers, scheduler and source, and of the bench that listens to them; what the kernel does for the links is not in it. */
  readonly cpuSeconds: number;
}

/** @param random in [0, 1): when hosts are killed, and which
 *  @throws Error when no host gets the file, or one gets another file */
export async function runHerd(lab: HerdLab, plan: HerdPlan, tag: string, random: () => number): Promise<HerdRun> {
  const { network, nginx, workbench } = lab;
  await lab.staff();
  await network.limit(ratesOf(plan));
  await truncate(nginx.requestLog);
  const sentBefore = await network.sentBytesOf("source");
  const zonesBefore = await network.bytesIntoZones();
  const statsBefore = await lab.stats();
  const busyBefore = await cpuTimes();
  const cpuBefore = await cpuSecondsOf(process.pid);

  const startedAtMs = performance.now();
  const sinceStartMs = () => performance.now() - startedAtMs;
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, workbench.signal]);
  const troubles = causeTroubles({ lab, plan, random, sinceStartMs, over: signal });
  const names = hostNames(plan);
  const curves = names.map((): Mark[] => []);
  const failures: { name: string; problem: string }[] = [];
  const gets = await Promise.all(
    names.map(async (name, at) => {
      const beginMs = (1000 * plan.joinSeconds * at) / Math.max(1, names.length - 1);
      if (beginMs > 0) await delay(beginMs, undefined, { signal });
      const mark = (each: Mark) => curves[at]?.push(each);
      const get = herdGet(lab.peer(name), { source: { url: lab.url, tag }, sinceStartMs, mark, signal });
      const got = await get.catch((error: unknown) => {
        workbench.throwIfOver();
        if (!troubles.killed.has(name)) failures.push({ name, problem: String(error) });
        return undefined;
      });
      return troubles.killed.has(name) ? undefined : got;
    }),
  ).finally(() => over.abort());
  const [failure] = failures;
  if (failure !== undefined && gets.every((get) => get === undefined)) throw new Error(failure.problem);

  const busyAfter = await cpuTimes();
  const cpuAfter = await cpuSecondsOf(process.pid);
  const happened = await troubles.happened;
  const sourceWireBytes = (await network.sentBytesOf("source")) - sentBefore;
  const zonesAfter = await network.bytesIntoZones();
  const schedulerLives = plan.schedulerDeath === undefined;
  const scheduler = schedulerLives ? { scheduler: grown(statsBefore, await lab.stats()) } : {};
  // nginx notes a request when it has ended, which the reader's end may be ahead of.
  await delay(200);
  const sourceBytes = (await readFile(nginx.requestLog, "utf8"))
    .split("\n")
    .reduce((sum, line) => sum + Number(line), 0);
  await checkAll(lab, gets);
  await clear(lab, plan, gets);
  return {
    plan,
    gets,
    failures,
    curves,
    troubles: happened,
    sourceBytes,
    sourceWireBytes,
    zoneBytes: zonesAfter.map((bytes, zone) => bytes - (zonesBefore[zone] ?? 0)),
    ...scheduler,
    busyShare: busyShare(busyBefore, busyAfter),
    cpuSeconds: cpuAfter - cpuBefore,
  };
}

/** Seconds from the start until the last of the hosts that live had the file. */
export function lastSeconds({ gets }: HerdRun, counts: (host: number) => boolean = () => true): number {
  return Math.max(...gets.flatMap((get, host) => (get !== undefined && counts(host) ? get.endMs : []))) / 1000;
}

interface Counts {
  readonly messagesIn: number;
  readonly rowsWritten: number;
}

function grown(before: Counts, after: Counts) {
  return { messagesUp: after.messagesIn - before.messagesIn, rows: after.rowsWritten - before.rowsWritten };
}

async function checkAll(lab: HerdLab, gets: readonly (HerdGet | undefined)[]): Promise<void> {
  const expected = await hashFile(lab.path, "blake3", { signal: lab.workbench.signal });
  for (const [at, get] of gets.entries()) {
    if (get === undefined) continue;
    const found = await hashFile(get.path, "blake3", { signal: lab.workbench.signal });
    if (found !== expected) throw new Error(`host-${at + 1} has another file than the source`);
  }
}

/** The next herd shall find cold stores. */
async function clear(lab: HerdLab, plan: HerdPlan, gets: readonly (HerdGet | undefined)[]): Promise<void> {
  const taskId = gets.find((get) => get !== undefined)?.taskId;
  if (taskId === undefined) return;
  const living = [...hostNames(plan), ...seedNames(plan)].filter((name) => lab.peer(name).daemon.running);
  for (const name of living) await removeTask(lab.peer(name), taskId);
}
