import { expect, test } from "bun:test";
import { isSlow as isSlowForReal } from "../herd/plan.ts";
import { simOptionsOf } from "./predict-herd.ts";
import { isSlow } from "./sim-options.ts";
import { TRUTH_CASES } from "./truth-cases.ts";

const CALM = TRUTH_CASES.get("calm");
if (CALM === undefined) throw new Error("There is no calm herd");

test("simOptionsOf() has the same hosts die at the same moments, behind the seeds", () => {
  const killed = { kind: "host-killed", name: "host-3", ms: 1200 } as const;
  expect(simOptionsOf({ ...CALM, seeds: 2 }, [killed], 1).deaths).toEqual([{ host: 4, afterMs: 1200 }]);
});

test("simOptionsOf() makes as many hosts slow, seeds or not", () => {
  const plan = { ...CALM, hosts: 8, seeds: 3, slowShare: 0.25 };
  const options = simOptionsOf(plan, [], 1);
  const hosts = Array.from({ length: plan.hosts }, (_, host) => host);
  expect(hosts.map((host) => isSlow(options, plan.seeds + host))).toEqual(
    hosts.map((host) => isSlowForReal(plan, host)),
  );
  expect(options.hosts).toBe(11);
});
