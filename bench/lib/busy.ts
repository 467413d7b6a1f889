/** How busy the whole machine was, by /proc/stat. */
import { readFile } from "node:fs/promises";

export interface CpuTimes {
  readonly busyTicks: number;
  readonly allTicks: number;
}

export async function cpuTimes(): Promise<CpuTimes> {
  return parseCpuTimes(await readFile("/proc/stat", "utf8"));
}

/** Share of all cores' time between two moments that anybody used. */
export function busyShare(before: CpuTimes, after: CpuTimes): number {
  return (after.busyTicks - before.busyTicks) / Math.max(1, after.allTicks - before.allTicks);
}

/** @param text of /proc/stat; what the host of a virtual machine took ("steal") counts as busy: it was not to be had */
export function parseCpuTimes(text: string): CpuTimes {
  const [, ...fields] = (text.split("\n", 1)[0] ?? "").split(/\s+/);
  // user nice system idle iowait irq softirq steal; guest time is part of user.
  const ticks = fields.slice(0, 8).map(Number);
  const allTicks = ticks.reduce((sum, each) => sum + each, 0);
  return { busyTicks: allTicks - (ticks[3] ?? 0) - (ticks[4] ?? 0), allTicks };
}
