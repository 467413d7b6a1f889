/** One herd: every host asks for the file at the same moment, or in turn; ends when all that live have it. */
import { readFile, truncate } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { hashFile } from "../../peer/store/hash.ts";
import { removeTask } from "../lib/bench-cluster.ts";
import { busyShare, cpuTimes } from "../lib/busy.ts";
import { cpuSecondsOf } from "../lib/processes.ts";
import { type HerdGet, herdGet } from "./herd-get.ts";
import type { HerdLab } from "./herd-lab.ts";
import { boundSeconds, type HerdPlan, hostNames, ratesOf, seedNames } from "./plan.ts";

export interface HerdRun {
  readonly plan: HerdPlan;
  /** Of the hosts that lived, in their order; `undefined` for one that was killed. */
  readonly gets: readonly (HerdGet | undefined)[];
  /** Bodies that the source sent, by its log. */
  readonly sourceBytes: number;
  /** What went out of its interface, with all headers and what was sent again. */
  readonly sourceWireBytes: number;
  /** What went into each zone but the first. */
  readonly zoneBytes: readonly number[];
  readonly messagesUp: number;
  readonly rows: number;
  /** Of all cores' time while it ran. */
  readonly busyShare: number;
  /** Of peers, scheduler and source, and of the bench that listens to them; what the kernel does for the links is not in it. */
  readonly cpuSeconds: number;
}

/** @param random in [0, 1): when hosts are killed, and which
 *  @throws Error when a host that lives does not get the file, or gets another one */
export async function runHerd(lab: HerdLab, plan: HerdPlan, tag: string, random: () => number): Promise<HerdRun> {
  const { network, nginx, workbench } = lab;
  await lab.staff();
  await network.limit(ratesOf(plan));
  await truncate(nginx.requestLog);
  const wires = await wireBytes(lab, plan);
  const before = await lab.stats();
  const busyBefore = await cpuTimes();
  const cpuBefore = await cpuSecondsOf(process.pid);

  const startedAtMs = performance.now();
  const sinceStartMs = () => performance.now() - startedAtMs;
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, workbench.signal]);
  const troubles = plannedTroubles(lab, plan, random, signal);
  const names = hostNames(plan);
  const gets = await Promise.all(
    names.map(async (name, at) => {
      const beginMs = (1000 * plan.joinSeconds * at) / Math.max(1, names.length - 1);
      if (beginMs > 0) await delay(beginMs, undefined, { signal });
      const get = herdGet(lab.peer(name), { url: lab.url, tag }, sinceStartMs, signal);
      return await (troubles.killed.has(name) ? get.catch(() => undefined) : get);
    }),
  ).finally(() => over.abort());
  await troubles.done;

  const busyAfter = await cpuTimes();
  const cpuAfter = await cpuSecondsOf(process.pid);
  const wiresAfter = await wireBytes(lab, plan);
  const after = plan.schedulerDiesAfterSeconds === undefined ? await lab.stats() : before;
  // nginx notes a request when it has ended, which the reader's end may be ahead of.
  await delay(200);
  const sourceBytes = (await readFile(nginx.requestLog, "utf8"))
    .split("\n")
    .reduce((sum, line) => sum + Number(line), 0);
  await checkAll(lab, gets);
  await clear(lab, plan, gets);
  const grown = wiresAfter.map((bytes, at) => bytes - (wires[at] ?? 0));
  return {
    plan,
    gets,
    sourceBytes,
    sourceWireBytes: grown[0] ?? 0,
    zoneBytes: grown.slice(1),
    messagesUp: after.messagesIn - before.messagesIn,
    rows: after.rowsWritten - before.rowsWritten,
    busyShare: busyShare(busyBefore, busyAfter),
    cpuSeconds: cpuAfter - cpuBefore,
  };
}

/** Seconds from the start until the last of the hosts that live had the file. */
export function lastSeconds({ gets }: HerdRun, counts: (host: number) => boolean = () => true): number {
  return Math.max(...gets.flatMap((get, host) => (get !== undefined && counts(host) ? get.endMs : []))) / 1000;
}

/** Sent by the source, and into each further zone. */
function wireBytes({ network }: HerdLab, { zones }: HerdPlan): Promise<number[]> {
  const further = Array.from({ length: zones - 1 }, (_, zone) => network.bytesInto(zone + 1));
  return Promise.all([network.sentBytesOf("source"), ...further]);
}

/** Kills hosts at random moments of the time that the herd needs at the very least, and the scheduler. */
function plannedTroubles(lab: HerdLab, plan: HerdPlan, random: () => number, signal: AbortSignal) {
  const names = hostNames(plan)
    .map((name) => ({ name, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ name }) => name);
  const killed = new Set(names.slice(0, Math.round(plan.hosts * plan.killShare)));
  const at = async (seconds: number, act: () => void) => {
    await delay(1000 * seconds, undefined, { signal }).then(act, () => undefined);
  };
  const acts = [...killed].map((name) =>
    at(random() * boundSeconds(plan), () => lab.peer(name).daemon.signal("SIGKILL")),
  );
  if (plan.schedulerDiesAfterSeconds !== undefined)
    acts.push(at(plan.schedulerDiesAfterSeconds, () => lab.killScheduler()));
  return { killed, done: Promise.all(acts) };
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
