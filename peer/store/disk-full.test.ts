import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onDisk } from "./store-problem.ts";

const unshare = (script: string) => ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script];
const canMount = Bun.spawnSync(unshare("mount -t tmpfs none /mnt")).exitCode === 0;

if (!canMount)
  console.warn("SKIPPED: a full disk, since this system does not let its users mount a tmpfs of their own");

test.skipIf(!canMount)(
  "a full disk refuses pieces with disk-full, keeps the others, and goes on once there is room",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "pantala-full-"));
    try {
      const script = `mount -t tmpfs -o size=1m none ${folder} && exec ${process.execPath} ${join(import.meta.dir, "disk-full.writer.ts")} ${folder}/store`;
      const run = Bun.spawnSync(unshare(script), { stderr: "inherit" });
      const { problems, held, sound } = JSON.parse(run.stdout.toString());
      expect(problems.length).toBeGreaterThan(0);
      for (const problem of problems) {
        expect(problem).toMatchObject({
          code: "disk-full",
          message: expect.stringMatching(
            /^The store in .*\/store has no room: \d+ bytes are needed and \d+ are free\. /,
          ),
          detail: { folder: `${folder}/store` },
        });
      }
      expect(held).toEqual([10, 10 - problems.length]);
      expect(sound).toEqual(Array(10).fill(true));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);

test("onDisk() tells a full disk or quota from other faults, and lets problems through", async () => {
  const place = { folder: "/data", freeBytes: async () => 10 };
  const failing = (code: string) =>
    onDisk(place, "write piece 3", 100, async () => {
      throw Object.assign(new Error(`${code}: no`), { code });
    });
  for (const code of ["ENOSPC", "EDQUOT"]) {
    await expect(failing(code)).rejects.toMatchObject({
      code: "disk-full",
      detail: { neededBytes: 100, freeBytes: 10 },
    });
  }
  await expect(failing("EIO")).rejects.toMatchObject({
    code: "store-failed",
    message: expect.stringContaining("Cannot write piece 3 in /data: EIO: no."),
  });
});
