import { reset } from "cloudflare:test";
import { afterEach, describe, expect, test } from "vitest";
import { restartScenarios } from "./scenarios/restart.ts";
import { SCENARIOS } from "./scenarios.ts";
import { workerdHome } from "./workerd-home.ts";

afterEach(() => reset());

describe("the scheduler inside workerd, whose objects hibernate", () => {
  for (const scenario of SCENARIOS) test(scenario.name, () => scenario.run(workerdHome("hibernate"), expect));
});

describe("the scheduler inside workerd, deployed anew", () => {
  for (const scenario of restartScenarios) test(scenario.name, () => scenario.run(workerdHome("close"), expect));
});
