import { describe, expect, test } from "bun:test";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { bearer } from "./ask.ts";
import { startBunHome } from "./bun-home.ts";
import { someTask } from "./facts.ts";
import { announceOf } from "./reading.ts";
import { SCENARIOS } from "./scenarios.ts";
import { TestHost } from "./test-host.ts";

describe("bun run edge, killed with -9 to restart it", () => {
  for (const scenario of SCENARIOS) {
    test(scenario.name, async () => {
      await using home = await startBunHome();
      await scenario.run(home, expect);
    });
  }
});

describe("bun run edge", () => {
  test("closes channels with 1012 on SIGTERM and on SIGINT, and exits with 0", async () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      await using home = await startBunHome();
      const host = await TestHost.join(home, 0);
      const [{ code }, { exitCode }] = await Promise.all([host.closed, home.end(signal)]);
      expect([code, exitCode]).toEqual([1012, 0]);
    }
  });

  test("writes neither the token nor what a signed URL holds to its log or its files", async () => {
    await using home = await startBunHome();
    const host = await TestHost.join(home, 0);
    const url = "https://user:pa55w0rd@models.example/m.bin?X-Amz-Signature=deadbeefdeadbeef";
    const task = someTask(home, 0, { pieceCount: 3, url });
    host.send(announceOf(task), {
      type: "finish",
      taskId: task.taskId,
      state: "failed",
      sourceBytes: 0,
      peerBytes: 0,
      problem: { code: "source-forbidden", message: `GET ${url} gave 403` },
    });
    await host.next("task");
    const { log } = await home.end("SIGTERM");
    const names = await readdir(home.dataDir);
    const texts = await Promise.all(names.map((name) => readFile(join(home.dataDir, name), "latin1")));
    expect(texts.some((text) => text.includes(task.taskId))).toBe(true);
    for (const text of [log, ...texts]) {
      for (const secret of [home.token, "pa55w0rd", "deadbeefdeadbeef"]) expect(text).not.toContain(secret);
    }
  });

  test("answers HEAD with the headers of GET, and without a body", async () => {
    await using home = await startBunHome();
    for (const path of ["/v1/tasks", "/v1/tasks?limit=x", "/healthz", "/metrics", "/v1/shards/0/messages", "/none"]) {
      const [get, head] = await Promise.all(
        ["GET", "HEAD"].map((method) => home.fetch(path, { method, headers: bearer(home.token) })),
      );
      const length = Number((await get?.arrayBuffer())?.byteLength);
      const told = ["content-type", "content-length", "allow"].map((name) => head?.headers.get(name));
      expect([path, head?.status, ...told]).toEqual([
        path,
        get?.status,
        get?.headers.get("content-type"),
        String(length),
        get?.headers.get("allow"),
      ]);
      expect(await head?.text()).toBe("");
    }
  });

  test("keeps its data folder to itself", async () => {
    await using home = await startBunHome();
    expect((await stat(home.dataDir)).mode & 0o077).toBe(0);
  });
});
