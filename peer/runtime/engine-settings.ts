/** What Bun (1.4.5) does beside our work, and how often. Each figure: groups of hosts in one herd (`bench herd`). */
const SETTINGS = {
  /** How often its allocator may look through all its pages for holes to give back to the system, in ms. By itself it does so all the time
   *  while something happens: 18 % of the CPU of a peer on a line of 8 Mbit/s. Every 2 s it gives back as much: 3 to 14 % less CPU at the
   *  same RSS; never looking, or giving back nothing: 20 to 40 MB more. */
  MIMALLOC_PURGE_HOLES_MIN_INTERVAL: "2000",
  /** How often it collects garbage because time has passed, in ms, besides what is collected for the sake of room. By itself every
   *  second: 64 hosts on 20 Mbit/s take 6 to 9 % less CPU with this, and 110 MB each as before; never: 9 % less, and 130 to 141 MB. */
  BUN_GC_TIMER_INTERVAL: "10000",
  /** No compiling for the third time (FTL): what is hot here is native, digests and the kernel. 2 to 5 % less CPU in the
   *  first herds of a process; transfers of 1 and 6 GiB (`bench single`, in turns) take no longer, and no more CPU. */
  BUN_JSC_useFTLJIT: "0",
} as const;

/** Begins this process anew, under the same number, with settings that are read before any of our code runs. Does nothing where they are
 *  all made already, and on other engines. */
export function settleEngine(): void {
  if (process.versions.bun === undefined) return;
  if (Object.keys(SETTINGS).every((name) => process.env[name] !== undefined)) return;
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve?.(process.execPath, args, { ...SETTINGS, ...process.env });
}
