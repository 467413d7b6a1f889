/** Plays many hosts at a fixed rate, in a process of its own. Takes a `LoadPlan` as its argument, prints a `LoadResult`. */
import { setTimeout as delay } from "node:timers/promises";
import { EVENTS_PER_FRAME, LoadHost } from "./load-host.ts";
import type { LoadPlan, LoadResult } from "./load-plan.ts";

const plan = JSON.parse(process.argv[2] ?? "") as LoadPlan;
const WARM_UP_SECONDS = 2;
/** What was not answered this long after the end is not waited for. */
const DRAIN_MS = 2000;

const times: number[] = [];
let measuring = false;
const hosts = Array.from({ length: plan.hosts }, (_, at) => {
  const holder = at % plan.hostsPerTask === 0;
  return new LoadHost(at + 1, Math.floor(at / plan.hostsPerTask) + 1, holder, (ms) => {
    if (measuring) times.push(ms);
  });
});
for (const host of hosts) await host.join(plan.url, plan.token);

const framesPerMs = plan.eventsPerSecond / EVENTS_PER_FRAME / 1000;
await send(WARM_UP_SECONDS);
measuring = true;
const cpuBefore = process.cpuUsage();
const startedAtMs = performance.now();
const sent = await send(plan.seconds);
const elapsedMs = performance.now() - startedAtMs;
for (let waited = 0; times.length < sent && waited < DRAIN_MS; waited += 20) await delay(20);
const cpu = process.cpuUsage(cpuBefore);
for (const host of hosts) host.leave();

times.sort((a, b) => a - b);
const at = (share: number) => times[Math.floor(times.length * share)] ?? Number.POSITIVE_INFINITY;
const result: LoadResult = {
  eventsPerSecond: (times.length * EVENTS_PER_FRAME * 1000) / elapsedMs,
  p50Ms: at(0.5),
  p99Ms: times.length < sent ? Number.POSITIVE_INFINITY : at(0.99),
  clientBusy: (cpu.user + cpu.system) / 1000 / elapsedMs,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);

/** Sends what is due, each host in its turn. @returns how many frames */
async function send(seconds: number): Promise<number> {
  const beganAtMs = performance.now();
  const frames = Math.floor(seconds * 1000 * framesPerMs);
  for (let frame = 0; frame < frames; ) {
    const due = Math.min(frames, Math.floor((performance.now() - beganAtMs) * framesPerMs));
    for (; frame < due; frame++) hosts[frame % hosts.length]?.report(beganAtMs + frame / framesPerMs);
    await delay(1);
  }
  return frames;
}
