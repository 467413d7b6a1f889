import { expect, test } from "bun:test";
import { boundSeconds, calmOf, type HerdPlan, ratesOf, zonesOf } from "./plan.ts";

const PLAN: HerdPlan = {
  hosts: 8,
  seeds: 1,
  rateMbit: 80,
  sourceMbit: 320,
  sizeBytes: 1e8,
  slowShare: 0,
  killShare: 0,
  joinSeconds: 0,
  zones: 1,
};

test("ratesOf() gives the last hosts a tenth of the rate, and none to those before", () => {
  const rates = ratesOf({ ...PLAN, slowShare: 0.25 });
  expect([...rates].filter(([, mbit]) => mbit === 8).map(([name]) => name)).toEqual(["host-7", "host-8"]);
  expect(rates.get("source")).toBe(320);
  expect(rates.get("seed-1")).toBe(80);
});

test("zonesOf() puts the source into the first zone, and the others in turn into all", () => {
  const zones = zonesOf({ ...PLAN, hosts: 3, zones: 2 });
  expect(Object.fromEntries(zones)).toEqual({ source: 0, "seed-1": 0, "host-1": 1, "host-2": 0, "host-3": 1 });
});

test("boundSeconds() counts the link between zones, and that the last host begins late", () => {
  expect(boundSeconds(PLAN)).toBeCloseTo(10, 6);
  expect(boundSeconds({ ...PLAN, zones: 2, zoneMbit: 40 })).toBeCloseTo(20, 6);
  expect(boundSeconds({ ...PLAN, joinSeconds: 5 })).toBeCloseTo(15, 6);
  expect(boundSeconds({ ...PLAN, joinSeconds: 5 }, 0.5)).toBeCloseTo(25, 6);
});

test("calmOf() is the same herd without slow hosts, deaths and the death of the scheduler, or nothing", () => {
  expect(calmOf({ ...PLAN, joinSeconds: 5 })).toBeUndefined();
  expect(calmOf({ ...PLAN, killShare: 0.3, slowShare: 0.25 })).toEqual(PLAN);
  expect(calmOf({ ...PLAN, schedulerDeath: { afterSeconds: 2 } })).toEqual(PLAN);
});
