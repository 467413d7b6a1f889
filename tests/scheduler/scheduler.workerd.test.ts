import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test } from "vitest";
import worker from "../../edge/runtime/worker.ts";
import { digestsOf, someTask } from "./facts.ts";
import { announceOf, readWhole } from "./reading.ts";
import { restartScenarios } from "./scenarios/restart.ts";
import { SCENARIOS } from "./scenarios.ts";
import { TestHost } from "./test-host.ts";
import { workerdHome } from "./workerd-home.ts";

afterEach(() => reset());

describe("the scheduler inside workerd, whose objects hibernate", () => {
  for (const scenario of SCENARIOS) test(scenario.name, () => scenario.run(workerdHome("hibernate"), expect));
});

describe("the scheduler inside workerd, deployed anew", () => {
  for (const scenario of restartScenarios) test(scenario.name, () => scenario.run(workerdHome("close"), expect));
});

test("a host whose channel hibernates is named to others, and hears of them, without saying anything", async () => {
  const home = workerdHome("hibernate");
  const task = someTask(home, 0, { pieceCount: 3 });
  const holder = await TestHost.join(home, 0);
  holder.send(announceOf(task));
  await readWhole(task, [holder]);
  holder.send({ type: "finish", taskId: task.taskId, state: "succeeded", sourceBytes: task.sizeBytes, peerBytes: 0 });
  holder.send(announceOf(task, { have: Uint8Array.of(7), wanting: false }));
  await holder.next("task");
  await home.restart();

  const child = await TestHost.join(home, 0);
  child.send(announceOf(task));
  expect((await child.next("neighbours")).add.map((one) => one.hostId)).toEqual([holder.hostId]);
  expect((await child.next("digests")).runs).toEqual([digestsOf(0, 3)]);
  expect((await holder.next("neighbours")).add.map((one) => one.hostId)).toEqual([child.hostId]);
  holder.close();
  child.close();
});

test("a Worker that was not given its token says so with 503 and no secret", async () => {
  const settings = {
    ...env,
    PANTALA_TOKEN: undefined,
    PANTALA_SHARDS: "many",
    PANTALA_OPEN_QUERIES: "s3cr3t",
    PANTALA_TASK_SOURCE_RATE: "fast",
  };
  const { PANTALA_TOKEN, ...without } = settings;
  const response = await worker.fetch(new Request("http://scheduler/healthz"), without);
  const text = await response.text();
  expect([response.status, JSON.parse(text).code]).toEqual([503, "not-ready"]);
  for (const name of ["PANTALA_TOKEN", "PANTALA_SHARDS", "PANTALA_OPEN_QUERIES", "PANTALA_TASK_SOURCE_RATE"])
    expect(text).toContain(name);
  expect(text).not.toContain("s3cr3t");
});
