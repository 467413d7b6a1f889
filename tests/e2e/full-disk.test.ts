import { expect, test } from "bun:test";
import { join } from "node:path";
import { tempFolder } from "../fixtures/temp-folder.ts";

const MIB = 1024 * 1024;
const unshare = (script: string) => ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script];
const canMount = Bun.spawnSync(unshare("mount -t tmpfs none /mnt")).exitCode === 0;
if (!canMount) console.warn("SKIPPED: full disks, since this system does not let its users mount a tmpfs of their own");

test.skipIf(!canMount)(
  "a peer on a disk that is too small goes on by evicting, or fails clean and resumes",
  async () => {
    await using folder = await tempFolder();
    const scenario = `${process.execPath} ${join(import.meta.dir, "full-disk.scenario.ts")}`;
    const script = `mount -t tmpfs -o size=40m none ${folder.path} && TMPDIR=${folder.path} exec ${scenario}`;
    const run = Bun.spawn(unshare(script), { stdout: "pipe", stderr: "inherit" });
    const { manyFiles, filledByOthers } = await new Response(run.stdout).json();
    expect(manyFiles.states.length).toBeGreaterThanOrEqual(2);
    expect(new Set(manyFiles.states)).toEqual(new Set(["complete"]));
    expect(filledByOthers).toMatchObject({
      exitCode: 8,
      problem: {
        code: "disk-full",
        message: expect.stringMatching(/has no room: \d+ bytes are needed and \d+ are free/),
      },
      resumed: true,
      bytes: 12 * MIB,
    });
  },
  120_000,
);
