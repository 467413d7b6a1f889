import { describe, expect, test } from "bun:test";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startBunHome } from "./bun-home.ts";

const PROGRAM = resolve(import.meta.dir, "../../edge/runtime/bun.ts");
const TOKEN = "a-cluster-token-of-the-command";

/** Runs it to its end, which must come by itself. */
async function edge(args: readonly string[], env: Record<string, string> = { PANTALA_TOKEN: TOKEN }) {
  const child = Bun.spawn([process.execPath, PROGRAM, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { HOME: tmpdir(), PATH: process.env.PATH, ...env },
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "pantala-edge-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("bun run edge ends with", () => {
  test("1 when the port is taken, and leaves nothing in its data folder", async () => {
    await using home = await startBunHome({ shards: 1 });
    await inTemporaryFolder(async (folder) => {
      const dataDir = join(folder, "data");
      const { host } = new URL(home.url);
      const { exitCode, stderr } = await edge(["--listen", host, "--data-dir", dataDir]);
      expect([exitCode, stderr]).toEqual([
        1,
        `Cannot listen on ${host}: another program listens there. Stop that one, or choose another port with --listen\n`,
      ]);
      expect(await stat(dataDir).catch(() => "absent")).toBe("absent");
    });
  });

  test("1 when another scheduler has the database", async () => {
    await using home = await startBunHome({ shards: 1 });
    const { exitCode, stderr } = await edge(["--listen", "127.0.0.1:0", "--data-dir", home.dataDir]);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      `Cannot open the scheduler's database ${join(home.dataDir, "scheduler.db")}: another scheduler is using it. Stop that one, or give this one another --data-dir\n`,
    );
  });

  test("1 when the database server does not answer, without its token", async () => {
    await inTemporaryFolder(async (folder) => {
      const args = ["--listen", "127.0.0.1:0", "--data-dir", folder, "--database", "http://127.0.0.1:9"];
      const env = { PANTALA_TOKEN: TOKEN, PANTALA_DATABASE_AUTH_TOKEN: "s3cr3t-t0ken" };
      const { exitCode, stderr } = await edge(args, env);
      expect([exitCode, stderr.split("\n").length]).toEqual([1, 2]);
      expect(stderr).toStartWith("The scheduler's database at 127.0.0.1:9 cannot be reached: ");
      expect(stderr).not.toContain("s3cr3t");
    });
  });

  test("2 when the data folder cannot be made", async () => {
    await inTemporaryFolder(async (folder) => {
      await writeFile(join(folder, "file"), "");
      const { exitCode, stderr } = await edge(["--listen", "127.0.0.1:0", "--data-dir", join(folder, "file", "data")]);
      expect([exitCode, stderr.split("\n").length]).toEqual([2, 3]);
      expect(stderr).toContain("--data-dir: cannot be made");
    });
  });

  test("2 when a flag is unknown", async () => {
    const { exitCode, stderr } = await edge(["--lissten", ":1"]);
    expect([exitCode, stderr]).toEqual([2, "error: unknown option '--lissten'\n(Did you mean --listen?)\n"]);
  });
});

test("bun run edge names every wrong setting at once and ends with 2", async () => {
  const { exitCode, stderr } = await edge(["--listen", "x", "--shards", "0"], { PANTALA_TOKEN: "short" });
  expect([exitCode, stderr.split("\n")[0]]).toEqual([2, "Cannot start the scheduler: 3 settings are wrong"]);
});

test("bun run edge --help shows every setting with its variable, and --version the version", async () => {
  const help = await edge(["--help"]);
  expect(help.exitCode).toBe(0);
  expect(help.stdout).toContain("PANTALA_DATABASE_AUTH_TOKEN");
  expect((await edge(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});
