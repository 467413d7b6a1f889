/** Network namespaces of benches: found by the process that made them, which is in their names. */
import { readdir } from "node:fs/promises";

const FOLDER = "/run/netns";
const PREFIX = "pantala-bench-";

/** What the names of this process's namespaces begin with. */
export function ownPrefix(): string {
  return `${PREFIX}${process.pid}-`;
}

/** What a command begins with that runs in a namespace. */
export function enter(namespace: string): readonly string[] {
  return ["nsenter", `--net=${FOLDER}/${namespace}`];
}

/** With the processes in it: children of a process that was killed outlive it. One that is gone already is no fault. */
export async function removeNamespace(name: string): Promise<void> {
  // Not by the workbench, which starts nothing once it is over.
  const found = Bun.spawn(["ip", "netns", "pids", name], { stdio: ["ignore", "pipe", "ignore"] });
  const pids = (await new Response(found.stdout).text()).split("\n").filter(Boolean).map(Number);
  for (const pid of pids) kill(pid, "SIGKILL");
  await Bun.spawn(["ip", "netns", "del", name], { stdio: ["ignore", "ignore", "ignore"] }).exited;
}

/** Removes what benches left that were ended with SIGKILL. */
export async function sweepNamespaces(): Promise<void> {
  const names = await readdir(FOLDER).catch(() => []);
  for (const name of names) {
    const owner = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN;
    if (!Number.isNaN(owner) && !kill(owner, 0)) await removeNamespace(name);
  }
}

/** False when there is no such process. */
function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
