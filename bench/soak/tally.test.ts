import { expect, test } from "bun:test";
import { Tally } from "./tally.ts";

test("a tally counts everything that happened and tells only the first failures", () => {
  const tally = new Tally();
  tally.count("gets");
  tally.count("gets");
  tally.count("gets killed");
  for (let failure = 0; failure < 30; failure++) tally.fail(`failure ${failure}`);
  expect(tally.summary()).toBe("2 gets, 1 gets killed");
  expect(tally.failed).toBe(30);
  expect(tally.told).toHaveLength(20);
});
