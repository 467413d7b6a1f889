/** Kills the scheduler of many hosts and starts it anew at once: how long until it knows all again. */
import { join } from "node:path";
import { startScheduler } from "../../tests/fixtures/cluster.ts";
import { until } from "../../tests/fixtures/daemon.ts";
import { BenchCluster } from "../lib/bench-cluster.ts";
import type { Figure } from "../lib/figure.ts";
import { number } from "../lib/figure-table.ts";
import { ROOT } from "../lib/machine.ts";
import { cpuSecondsOf } from "../lib/processes.ts";
import type { Outcome } from "../lib/result.ts";
import type { Workbench } from "../lib/workbench.ts";
import { JOINED, type RestartPlan, type RestartResult } from "./restart-plan.ts";

export interface RestartFlags {
  readonly peers: number;
  readonly tasks: number;
  readonly runs: number;
}

/** Of the new scheduler. */
interface Restart extends RestartResult {
  /** From its start until it answered. */
  readonly startedMs: number;
  readonly cpuSeconds: number;
}

const PATIENCE_MS = 120_000;

export async function measureRestart(workbench: Workbench, flags: RestartFlags): Promise<Outcome> {
  const restarts: Restart[] = [];
  for (let run = 0; run < flags.runs; run++) {
    const restart = await restartOnce(workbench, flags, `restart-${run}`);
    const { knownMs, startedMs, statements } = restart;
    const answered = `it answered after ${number(startedMs)}`;
    workbench.say(`  knows all again after ${number(knownMs)} ms; ${answered}, and took ${statements} statements`);
    restarts.push(restart);
  }
  const figure = (name: string, unit: string, of: (restart: Restart) => number): Figure => ({
    name,
    unit,
    better: "lower",
    samples: restarts.map(of),
  });
  return {
    runs: flags.runs,
    figures: [
      figure("scheduler.restart.known_s", "s", (restart) => restart.knownMs / 1000),
      figure("scheduler.restart.started_s", "s", (restart) => restart.startedMs / 1000),
      figure("scheduler.restart.cpu_s", "s", (restart) => restart.cpuSeconds),
      figure("scheduler.restart.refused", "tasks", (restart) => restart.refused),
    ],
    notes: [`${flags.peers} hosts, each with ${flags.tasks} tasks it holds and one it is getting; killed with SIGKILL`],
  };
}

async function restartOnce(workbench: Workbench, flags: RestartFlags, name: string): Promise<Restart> {
  const cluster = await BenchCluster.start(workbench, name);
  const { token } = cluster;
  const { url, daemon } = cluster.scheduler;
  const plan: RestartPlan = { url, token, hosts: flags.peers, heldTasks: flags.tasks };
  const hosts = workbench.start({
    name: "hosts",
    command: [process.execPath, join(ROOT, "bench/scheduler/restart-process.ts"), JSON.stringify(plan)],
    logPath: join(workbench.folder, `${name}.log`),
  });
  const patient = { daemon: hosts, timeoutMs: PATIENCE_MS };
  await until("all hosts are known", () => hosts.log().includes(JOINED), patient);
  await daemon.stop("SIGKILL");
  const killedAtMs = performance.now();
  const folder = join(workbench.folder, name, "scheduler");
  const scheduler = await startScheduler({ folder, token, port: Number(new URL(url).port) });
  const startedMs = performance.now() - killedAtMs;
  workbench.own(scheduler.daemon);
  await until("all hosts are known again", () => !hosts.running, { timeoutMs: PATIENCE_MS });
  const cpuSeconds = await cpuSecondsOf(scheduler.daemon.pid);
  await scheduler.daemon.stop();
  const last = hosts.log().trim().split("\n").at(-1) ?? "";
  if (!last.startsWith("{")) throw new Error(`The hosts ended with: ${last}`);
  return { ...(JSON.parse(last) as RestartResult), startedMs, cpuSeconds };
}
