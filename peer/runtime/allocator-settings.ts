/** How often the allocator of Bun (1.4.5) may look through all its pages for holes to give back to the system, in ms. By itself it does so
 *  all the time while something happens: 18 % of the CPU of a peer on a line of 8 Mbit/s. Every 2 s it gives back as much (`bench herd`, groups of hosts
 *  in one herd: 3 to 14 % less CPU at the same RSS; never looking, or giving back nothing: 20 to 40 MB more). */
const HOLES_INTERVAL = ["MIMALLOC_PURGE_HOLES_MIN_INTERVAL", "2000"] as const;

/** Begins this process anew, under the same number, with settings that are read before any of our code runs. Does nothing where they are
 *  made already, and on other engines. */
export function settleAllocator(): void {
  const [name, value] = HOLES_INTERVAL;
  if (process.versions.bun === undefined || process.env[name] !== undefined) return;
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve?.(process.execPath, args, { ...process.env, [name]: value });
}
