import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const unshare = (script: string) => ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script];
const canMount = Bun.spawnSync(unshare("mount -t tmpfs none /mnt")).exitCode === 0;
if (!canMount) console.warn("SKIPPED: full disks, since this system does not let its users mount a tmpfs of their own");

/** What the writer says of a scenario on a file system of that size. */
async function onTinyDisk(options: string, scenario: string): Promise<Record<string, unknown>> {
  const folder = await mkdtemp(join(tmpdir(), "pantala-full-"));
  try {
    const writer = `${process.execPath} ${join(import.meta.dir, "full-disk.writer.ts")} ${folder} ${scenario}`;
    const script = `mount -t tmpfs -o ${options} none ${folder} && exec ${writer}`;
    const run = Bun.spawnSync(unshare(script), { stderr: "inherit" });
    return JSON.parse(run.stdout.toString());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe.skipIf(!canMount)("a store with a janitor on a disk that is too small", () => {
  test("keeps the newest tasks, makes room for each before it begins, and holds no wrong byte", async () => {
    const said = await onTinyDisk("size=12m", "bytes");
    expect(said).toMatchObject({ newest: true, sound: true, soundAfterRestart: true, warnings: [] });
    expect(said.complete).toBeGreaterThanOrEqual(3);
    expect(Number(said.complete) + Number(said.evicted)).toBe(12);
  });

  test("that others fill in the middle of a download evicts once for it, then says disk-full, and goes on later", async () => {
    expect(await onTinyDisk("size=8m", "foreign")).toMatchObject({
      relieved: "done",
      oldEvicted: true,
      evicted: 1,
      full: "disk-full",
      stuck: true,
      complete: true,
      sound: true,
      soundAfterRestart: true,
    });
  });

  test("goes on with fewer tasks when files run out, not bytes", async () => {
    const said = await onTinyDisk("size=64m,nr_inodes=40", "inodes");
    expect(said).toMatchObject({ lastComplete: true, sound: true, soundAfterRestart: true });
    expect(Number(said.kept) + Number(said.evicted)).toBe(20);
  });
});
