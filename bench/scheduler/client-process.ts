/** Plays many hosts at a fixed rate, in a process of its own. Takes a `LoadPlan` as its argument, prints a `LoadResult`. */
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { cpuSecondsOf } from "../lib/processes.ts";
import { EVENTS_PER_FRAME, LoadHost } from "./load-host.ts";
import type { LoadPlan, LoadResult } from "./load-plan.ts";

const plan = JSON.parse(process.argv[2] ?? "") as LoadPlan;
/** The engine compiles what runs often: a scheduler that has just started needs twice the time for an event. */
const WARM_UP = { seconds: 5, eventsPerSecond: 10_000 };
/** What was not answered this long after the end is not waited for. */
const DRAIN_MS = 2000;

let times: number[] = [];
let late: number[] = [];
const hosts = Array.from({ length: plan.hosts }, (_, at) => {
  const holder = at % plan.hostsPerTask === 0;
  return new LoadHost(at + 1, Math.floor(at / plan.hostsPerTask) + 1, holder, (ms) => {
    times.push(ms);
  });
});
for (const host of hosts) await host.join(plan.url, plan.token);

await answered(await send(WARM_UP.seconds, Math.max(WARM_UP.eventsPerSecond, plan.eventsPerSecond)));
times = [];
late = [];
const cpuBefore = process.cpuUsage();
const schedulerBefore = await cpuSecondsOf(plan.schedulerPid);
const queuedBefore = await queuedSeconds();
const startedAtMs = performance.now();
const sent = await send(plan.seconds, plan.eventsPerSecond);
const elapsedMs = performance.now() - startedAtMs;
await answered(sent);
const schedulerSeconds = (await cpuSecondsOf(plan.schedulerPid)) - schedulerBefore;
const queued = (await queuedSeconds()) - queuedBefore;
const cpu = process.cpuUsage(cpuBefore);
const drainedMs = performance.now() - startedAtMs;
for (const host of hosts) host.leave();

times.sort((a, b) => a - b);
late.sort((a, b) => a - b);
const at = (share: number, sorted = times) => sorted[Math.floor(sorted.length * share)] ?? Number.POSITIVE_INFINITY;
const result: LoadResult = {
  eventsPerSecond: (times.length * EVENTS_PER_FRAME * 1000) / elapsedMs,
  p50Ms: at(0.5),
  p99Ms: times.length < sent ? Number.POSITIVE_INFINITY : at(0.99),
  lateP99Ms: at(0.99, late),
  cpuUsPerEvent: (schedulerSeconds * 1e6) / (times.length * EVENTS_PER_FRAME),
  queuedShare: (queued * 1000) / drainedMs,
  schedulerBusy: (schedulerSeconds * 1000) / drainedMs,
  clientBusy: (cpu.user + cpu.system) / 1000 / drainedMs,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);

/** Sends what is due, each host in its turn. @returns how many frames */
async function send(seconds: number, eventsPerSecond: number): Promise<number> {
  const framesPerMs = eventsPerSecond / EVENTS_PER_FRAME / 1000;
  const beganAtMs = performance.now();
  const frames = Math.floor(seconds * 1000 * framesPerMs);
  for (let frame = 0; frame < frames; ) {
    const due = Math.min(frames, Math.floor((performance.now() - beganAtMs) * framesPerMs));
    for (; frame < due; frame++) {
      const dueAtMs = beganAtMs + frame / framesPerMs;
      hosts[frame % hosts.length]?.report(dueAtMs);
      late.push(performance.now() - dueAtMs);
    }
    await delay(1);
  }
  return frames;
}

/** How long the main thread of the scheduler waited for a core so far. */
async function queuedSeconds(): Promise<number> {
  return Number((await readFile(`/proc/${plan.schedulerPid}/schedstat`, "utf8")).split(" ")[1]) / 1e9;
}

/** Waits for the answers to so many frames, though not for long. */
async function answered(frames: number): Promise<void> {
  for (let waited = 0; times.length < frames && waited < DRAIN_MS; waited += 20) await delay(20);
}
