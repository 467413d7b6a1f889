/** A herd that gets one file at the same moment: everybody honest, or some of them lying on the wire. */
import type { Page, TaskSummary } from "../../schema/wire/query.ts";
import { BenchCluster, localGet } from "../lib/bench-cluster.ts";
import type { Workbench } from "../lib/workbench.ts";
import { differingBytes } from "./differing-bytes.ts";
import { type LiarReport, RelayedHost } from "./relayed-host.ts";

export interface HerdOptions {
  readonly hostCount: number;
  /** How many of them stand behind a relay, whether it lies or not. */
  readonly relayCount: number;
  readonly lying: boolean;
  /** What they get, and the file behind that URL. */
  readonly url: string;
  readonly path: string;
  /** Of each host, bytes a second. */
  readonly uploadRateBps: number;
}

export interface HerdRun {
  /** From the start of all until the last host without a relay has the file. */
  readonly seconds: number;
  /** Over all files that these hosts were given. */
  readonly badBytes: number;
  /** What the whole herd read from the source. */
  readonly sourceBytes: number;
  readonly reports: readonly LiarReport[];
}

/** Starts the herd, lets it get the file, looks at what it got, and ends it.
 *  @param name of this herd among those of one workbench
 *  @throws Error when a host without a relay does not get the file */
export async function runHerd(workbench: Workbench, name: string, options: HerdOptions): Promise<HerdRun> {
  const cluster = await BenchCluster.start(workbench, name);
  const { hostCount, relayCount, lying, url, path, uploadRateBps } = options;
  const args = ["--upload-rate", String(uploadRateBps)];
  const [relayed, plain] = await Promise.all([
    Promise.all(numbers(relayCount).map((n) => RelayedHost.join(workbench, cluster, `relayed-${n}`, { lying, args }))),
    Promise.all(numbers(hostCount - relayCount).map((n) => cluster.join(`host-${n}`, { args }))),
  ]);
  // They want the file like everybody else, but only what the others get counts.
  const others = Promise.allSettled(relayed.map(({ peer }) => localGet(peer, url, name)));
  const gets = await Promise.all(plain.map((peer) => localGet(peer, url, name)));
  const reports = await Promise.all(relayed.map((host) => host.report(cluster)));
  const { items } = await cluster.query<Page<TaskSummary>>("/v1/tasks");
  const bad = await Promise.all(gets.map((got) => differingBytes(got.path, path)));
  await Promise.all([...plain.map(({ daemon }) => daemon.stop()), ...relayed.map((host) => host.stop())]);
  await cluster.scheduler.daemon.stop();
  await others;
  return {
    seconds: Math.max(...gets.map(({ ms }) => ms)) / 1000,
    badBytes: sum(bad),
    sourceBytes: sum(items.map(({ sourceBytes }) => sourceBytes)),
    reports,
  };
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n + 1);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
