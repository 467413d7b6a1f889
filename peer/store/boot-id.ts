/** Names this run of the kernel. What a process wrote survives its death, but not a power loss before the kernel wrote
 *  it out: another boot id means that unsynced pieces must be looked at again. */
import { readFile } from "node:fs/promises";

/** `null` where the system does not tell. */
export async function readBootId(): Promise<string | null> {
  try {
    return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  } catch {
    return null;
  }
}
