import { expect, test } from "bun:test";
import { RecentPace } from "./recent-pace.ts";

test("RecentPace tells nothing of the first few, then how often it was lately, and less when it stops", () => {
  const pace = new RecentPace();
  for (let n = 1; n <= 15; n++) pace.note(n * 10);
  expect(pace.perSecond(150)).toBe(0);
  for (let n = 16; n <= 40; n++) pace.note(n * 10);
  expect(pace.perSecond(410)).toBe(100);
  expect(pace.perSecond(1850)).toBe(10);
});
