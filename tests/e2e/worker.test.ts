import { describe, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HostSummary, Page, TaskDetail } from "../../schema/wire/query.ts";
import type { RunningScheduler, SchedulerOptions } from "../fixtures/cluster.ts";
import { Daemon, freePort, until } from "../fixtures/daemon.ts";
import { TestCluster } from "./test-cluster.ts";

const MIB = 1024 * 1024;
const ROOT = join(import.meta.dir, "../..");

/** `bun run dev`, on a port and a state folder of its own. */
async function startWorker(options: SchedulerOptions): Promise<RunningScheduler> {
  const port = options.port ?? (await freePort());
  await mkdir(options.folder, { recursive: true });
  await writeFile(join(options.folder, "cluster-token"), options.token, { mode: 0o600 });
  const inspector = await freePort();
  const daemon = new Daemon({
    name: "wrangler dev",
    command: [
      process.execPath,
      join(ROOT, "scripts/dev.ts"),
      "--port",
      String(port),
      "--inspector-port",
      String(inspector),
      "--persist-to",
      join(options.folder, "state"),
    ],
    env: { PANTALA_DATA_DIR: options.folder },
    cwd: ROOT,
    logPath: join(options.folder, "wrangler.log"),
  });
  const url = `http://127.0.0.1:${port}`;
  await until("the worker answers", async () => (await fetch(`${url}/healthz`)).ok, { daemon, timeoutMs: 60_000 });
  return { url, daemon };
}

describe("the scheduler under wrangler dev", () => {
  test("lets a seed and two peers move a real file, and knows it all again after a restart", async () => {
    await using cluster = await TestCluster.start({ peers: 2, seeds: 1, home: startWorker });
    const file = await cluster.put("model.bin", 16 * MIB + 1);
    const results = await Promise.all(cluster.peers.map((peer) => cluster.mustGet(peer, file)));
    expect(cluster.store.stats().bodyBytes).toBe(file.sizeBytes);
    for (const result of results) expect(result.peerBytes).toBe(file.sizeBytes);
    const taskId = results[0]?.taskId;
    const everybodyHasIt = async () => {
      const task = await cluster.query<TaskDetail>(`/v1/tasks/${taskId}`);
      return task.completePeerCount === 3 && task;
    };
    await until("all three hold it", everybodyHasIt);

    const port = Number(new URL(cluster.scheduler.url).port);
    await cluster.scheduler.daemon.stop("SIGTERM");
    cluster.scheduler = await startWorker({ folder: join(cluster.folder, "scheduler"), token: cluster.token, port });
    await until(
      "everybody is back",
      async () => (await cluster.query<Page<HostSummary>>("/v1/hosts?state=online")).items.length === 3,
    );
    await until("all three hold it again", everybodyHasIt);
    const late = await cluster.join("late");
    expect((await cluster.mustGet(late, file)).peerBytes).toBe(file.sizeBytes);
    expect(cluster.store.stats().bodyBytes).toBe(file.sizeBytes);
  }, 180_000);
});
