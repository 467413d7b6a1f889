/** Links, source and processes as those of `bench herd`: what the simulator needs to predict one. */
import { GOODPUT_SHARE } from "../herd/figures.ts";
import { bpsOfMbit } from "../herd/lower-bound.ts";
import type { SimOptions } from "./sim-options.ts";

export const HERD_LINKS = {
  /** The shaper of `bench/herd/network.ts`: its burst, and its latency. */
  queueBytes: 128 * 1024,
  queueMs: 40,
  /** Between what was measured with `ss -ti` (BBR) of streams that had more to send all the time, over a second each: 0.75 on the
   *  link of a source of 30 Mbit/s with 8 readers, 1.2 on that of a host with 3 Mbit/s. */
  unevenness: 1,
  /** Of the same streams: the share in one second tells little of that in the next (correlation of the logarithms 0.24). */
  unevenForMs: 1000,
  tcp: true,
  /** As 8 hosts at once answered that they had opened the task, on two cores. */
  openMs: 100,
  /** What nginx has given to the kernel and no reader has got, in the mean of the streams in use (`ss`, 200 KiB at 30 Mbit/s): its
   *  log counts it. */
  sentAheadBytes: 200 * 1024,
  /** Namespaces of one machine. */
  controlMs: 1,
} as const satisfies Partial<SimOptions>;

/** From the start of the scheduler's process until it answers. */
export const SCHEDULER_START_MS = 400;

/** Bytes of content a second through a link of so many Mbit/s. */
export function contentBps(mbit: number): number {
  return GOODPUT_SHARE * bpsOfMbit(mbit);
}
