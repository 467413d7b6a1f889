import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { tempFolder } from "../../tests/fixtures/temp-folder.ts";
import { ROOT } from "./machine.ts";

/** nginx may have to be installed first. */
const INSTALL_TIMEOUT_MS = 300_000;
const MAIN = join(ROOT, "bench/main.ts");

test("bench lists its names when it is given one it does not have, and fails", async () => {
  const child = Bun.spawn([process.execPath, MAIN, "singel"], { stdio: ["ignore", "pipe", "pipe"] });
  expect(await new Response(child.stderr).text()).toContain("single, documents, liars, soak");
  expect(await child.exited).toBe(2);
});

test(
  "an interrupted bench ends what it started and removes what it wrote",
  async () => {
    await using folder = await tempFolder();
    const where = join(folder.path, "here");
    await mkdir(where);
    const args = ["soak", "--minutes", "10", "--folder", where];
    const child = Bun.spawn([process.execPath, MAIN, ...args], { stdio: ["ignore", "ignore", "pipe"] });
    const decoder = new TextDecoder();
    let told = "";
    let pids: number[] = [];
    for await (const chunk of child.stderr) {
      told += decoder.decode(chunk, { stream: true });
      if (!told.includes("soaking")) continue;
      if (pids.length === 0) {
        pids = await pidsUsing(where);
        child.kill("SIGINT");
      }
    }
    expect(await child.exited).toBe(130);
    expect(told).toContain("interrupted");
    expect(pids.length).toBeGreaterThan(4);
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(await readdir(where)).toEqual([]);
  },
  INSTALL_TIMEOUT_MS,
);

/** Processes whose command names a folder. */
async function pidsUsing(folder: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    pids.map(async (pid) => ({
      pid: Number(pid),
      command: await Bun.file(`/proc/${pid}/cmdline`)
        .text()
        .catch(() => ""),
    })),
  );
  return commands.filter(({ command }) => command.includes(`${folder}/`)).map(({ pid }) => pid);
}
