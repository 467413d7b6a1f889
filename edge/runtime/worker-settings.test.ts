import { expect, test } from "bun:test";
import { workerSettingsOf } from "./worker-settings.ts";

const PANTALA_TOKEN = "worker-settings-cluster-token";

test("workerSettingsOf() reads the budget of a source as the flag of the self-hosted scheduler is read", () => {
  expect(workerSettingsOf({ PANTALA_TOKEN, PANTALA_TASK_SOURCE_RATE: "200MiB" }).taskSourceBps).toBe(200 * 2 ** 20);
  expect(workerSettingsOf({ PANTALA_TOKEN }).taskSourceBps).toBe(Number.POSITIVE_INFINITY);
  expect(() => workerSettingsOf({ PANTALA_TOKEN, PANTALA_TASK_SOURCE_RATE: "1KiB" })).toThrow(
    "PANTALA_TASK_SOURCE_RATE: must be at least 64KiB a second",
  );
});
