/** What a scheduler does, wherever it lives. */
import type { Scenario } from "./home.ts";
import { channelScenarios } from "./scenarios/channels.ts";
import { fallbackScenarios } from "./scenarios/fallback.ts";
import { hostileInputScenarios } from "./scenarios/hostile-input.ts";
import { queryScenarios } from "./scenarios/queries.ts";
import { restartScenarios } from "./scenarios/restart.ts";
import { taskScenarios } from "./scenarios/tasks.ts";

export const SCENARIOS: readonly Scenario[] = [
  ...channelScenarios,
  ...taskScenarios,
  ...fallbackScenarios,
  ...hostileInputScenarios,
  ...queryScenarios,
  ...restartScenarios,
];
