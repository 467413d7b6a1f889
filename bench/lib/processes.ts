/** What /proc tells of processes: time on the CPU, memory, open files, children. */
import { readdir, readFile, readlink } from "node:fs/promises";

/** USER_HZ: 100 on every Linux we run on. */
const TICKS_PER_SECOND = 100;

export interface Memory {
  readonly rssBytes: number;
  /** The most it ever was. */
  readonly peakBytes: number;
  /** Its share that is no mapped file: what the program itself asked for. */
  readonly anonymousBytes: number;
}

/** Time a process and its descendants spent on the CPU so far, user and system. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const pids = [pid, ...(await descendantsOf(pid))];
  const stats = await Promise.all(pids.map((each) => readStat(each)));
  return stats.reduce((sum, stat) => sum + (stat?.cpuTicks ?? 0), 0) / TICKS_PER_SECOND;
}

/** @throws an error of the file system when there is no such process */
export async function memoryOf(pid: number): Promise<Memory> {
  return parseStatus(await readFile(`/proc/${pid}/status`, "utf8"));
}

/** @throws an error of the file system when there is no such process */
export async function openFileCountOf(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

/** Files that were removed and still take room, because the process has them open. Those of memory alone do not count.
 *  @throws an error of the file system when there is no such process */
export async function removedOpenFilesOf(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const targets = await Promise.all((await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => "")));
  return targets.filter((target) => target.endsWith(" (deleted)") && !target.startsWith("/memfd:"));
}

export async function descendantsOf(pid: number): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map(async (each) => ({ pid: each, stat: await readStat(each) })));
  const childrenOf = (parent: number): number[] =>
    stats.filter(({ stat }) => stat?.parentPid === parent).flatMap((child) => [child.pid, ...childrenOf(child.pid)]);
  return childrenOf(pid);
}

async function readStat(pid: number): Promise<Stat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return text === undefined ? undefined : parseStat(text);
}

export interface Stat {
  readonly parentPid: number;
  /** User and system. */
  readonly cpuTicks: number;
}

/** @param text of /proc/PID/stat; the name of the program in it may hold blanks and parentheses */
export function parseStat(text: string): Stat {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { parentPid: Number(fields[1]), cpuTicks: Number(fields[11]) + Number(fields[12]) };
}

/** @param text of /proc/PID/status */
export function parseStatus(text: string): Memory {
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
  return { rssBytes: bytes("VmRSS"), peakBytes: bytes("VmHWM"), anonymousBytes: bytes("RssAnon") };
}
