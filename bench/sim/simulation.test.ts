import { heapStats } from "bun:jsc";
import { expect, setDefaultTimeout, test } from "bun:test";
import { DEFAULT_SIM } from "./sim-options.ts";
import { Simulation } from "./simulation.ts";

/** A long simulation on a machine with other work. */
setDefaultTimeout(120_000);
const HOSTS = 2000;
/** A hundred thousand of them are 1.2 GB. It is 10,600 today. */
const MOST_BYTES_PER_HOST = 12_000;

function herdOf(hosts: number): Simulation {
  const simulation = new Simulation({ ...DEFAULT_SIM, hosts, sizeBytes: 2 ** 20 });
  simulation.run();
  return simulation;
}

function heapBytes(): number {
  Bun.gc(true);
  const { heapSize, extraMemorySize } = heapStats();
  return heapSize + extraMemorySize;
}

test("a host of a simulated herd, with its part in the scheduler's core, takes no more memory than a herd of 100,000 can afford", () => {
  // Compiled code takes memory once.
  herdOf(100);
  const before = heapBytes();
  const simulation = herdOf(HOSTS);
  expect((heapBytes() - before) / HOSTS).toBeLessThan(MOST_BYTES_PER_HOST);
  expect(simulation.hosts).toHaveLength(HOSTS);
});
