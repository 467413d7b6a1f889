/** What a Worker is told by its environment. */
import { z } from "zod";
import { describeIssues } from "../../schema/issues.ts";
import { ProblemError } from "../../schema/problem.ts";
import { onOff } from "../../schema/settings.ts";
import { clusterTokenSetting } from "../../schema/shared-settings.ts";
import { shardCount, sourceRate } from "./edge-settings.ts";

const workerSettings = z.object({
  PANTALA_TOKEN: clusterTokenSetting,
  PANTALA_SHARDS: shardCount,
  PANTALA_OPEN_QUERIES: onOff.default(false),
  PANTALA_TASK_SOURCE_RATE: sourceRate.optional(),
});

export interface WorkerSettings {
  readonly token: string;
  readonly shardCount: number;
  readonly openQueries: boolean;
  /** Bytes a second; infinite: no limit. */
  readonly taskSourceBps: number;
}

/** @throws ProblemError `not-ready`, which names every variable that is wrong and no value. */
export function workerSettingsOf(env: object): WorkerSettings {
  const parsed = workerSettings.safeParse(env);
  if (parsed.success) {
    const { PANTALA_TOKEN, PANTALA_SHARDS, PANTALA_OPEN_QUERIES, PANTALA_TASK_SOURCE_RATE } = parsed.data;
    return {
      token: PANTALA_TOKEN,
      shardCount: PANTALA_SHARDS,
      openQueries: PANTALA_OPEN_QUERIES,
      taskSourceBps: PANTALA_TASK_SOURCE_RATE ?? Number.POSITIVE_INFINITY,
    };
  }
  throw new ProblemError(
    "not-ready",
    `The scheduler is not set up: ${describeIssues(parsed.error)}. Set the secret with \`wrangler secret put PANTALA_TOKEN\`, variables in wrangler.toml`,
  );
}
