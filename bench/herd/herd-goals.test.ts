import { expect, test } from "bun:test";
import { GOALS } from "../lib/goals.ts";
import { goalsOf } from "./herd-goals.ts";
import type { HerdPlan } from "./plan.ts";

const PLAN: HerdPlan = {
  hosts: 12,
  seeds: 0,
  rateMbit: 100,
  sourceMbit: 100,
  sizeBytes: 1e8,
  slowShare: 0,
  killShare: 0,
  joinSeconds: 0,
  zones: 1,
};

test("goalsOf() names goals that exist, whatever befalls the herd", () => {
  const plans: HerdPlan[] = [
    PLAN,
    { ...PLAN, hosts: 64 },
    { ...PLAN, slowShare: 0.25 },
    ...[0.1, 0.2, 0.3, 0.4, 0.5].map((killShare) => ({ ...PLAN, killShare })),
    { ...PLAN, schedulerDeath: { afterSeconds: 2 } },
  ];
  const names = plans.flatMap((plan) => Object.values(goalsOf(plan))).filter((name) => name !== null);
  expect(names.filter((name) => GOALS[name] === undefined)).toEqual([]);
});

test("goalsOf() asks of a herd that loses hosts what the order asks at that share, and nothing below", () => {
  expect(goalsOf({ ...PLAN, killShare: 0.1 }).versusCalm).toBeNull();
  expect(goalsOf({ ...PLAN, killShare: 0.25 }).versusCalm).toBe("herd.vs_calm/kill-0.2");
  expect(goalsOf({ ...PLAN, killShare: 0.5 }).sourceEgress).toBe("herd.source_egress/kill-0.5");
});

test("goalsOf() asks less of many hosts, and no share of the bound where something befalls them", () => {
  expect(goalsOf(PLAN).boundShare).toBe("herd.last_host.bound_share");
  expect(goalsOf({ ...PLAN, hosts: 24 }).boundShare).toBe("herd.last_host.bound_share/24-hosts");
  expect(goalsOf({ ...PLAN, slowShare: 0.25 }).boundShare).toBeNull();
});
