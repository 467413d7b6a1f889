/** Where and on what a bench ran. */
import { execFile } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
}

export const ROOT = join(import.meta.dir, "../..");

export function machineFacts(): Machine {
  const all = cpus();
  return { cpu: all[0]?.model ?? "unknown", cores: all.length, memoryBytes: totalmem(), kernel: release() };
}

/** Processes that wanted a core in the last minute: more than a little and figures are noisy. */
export function busyness(): number {
  return loadavg()[0] ?? 0;
}

/** The commit of this checkout, with `+changes` when what runs differs from it; `unknown` outside of git. */
export async function commitOfCheckout(): Promise<string> {
  const git = promisify(execFile);
  try {
    const { stdout: commit } = await git("git", ["rev-parse", "--short=12", "HEAD"], { cwd: ROOT });
    const ours = ["schema", "edge", "peer", "bench", "tests/fixtures", "bun.lock", ":(exclude)bench/results"];
    const { stdout: changes } = await git("git", ["status", "--porcelain", "--", ...ours], { cwd: ROOT });
    return `${commit.trim()}${changes.trim() === "" ? "" : "+changes"}`;
  } catch {
    return "unknown";
  }
}
