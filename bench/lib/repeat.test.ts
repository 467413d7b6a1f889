import { expect, test } from "bun:test";
import { inTurns } from "./repeat.ts";

test("inTurns() lets ours and the reference go first every other time, and never both at once", async () => {
  const log: string[] = [];
  const step = (name: string) => async (run: number) => {
    log.push(`${name} ${run} begins`);
    await Promise.resolve();
    log.push(`${name} ${run} ends`);
    return `${name} ${run}`;
  };
  const pairs = await inTurns(2, step("ours"), step("reference"));
  expect(pairs).toEqual([
    { ours: "ours 0", reference: "reference 0" },
    { ours: "ours 1", reference: "reference 1" },
  ]);
  expect(log.filter((line) => line.endsWith("begins"))).toEqual([
    "ours 0 begins",
    "reference 0 begins",
    "reference 1 begins",
    "ours 1 begins",
  ]);
  expect(log.every((line, at) => at % 2 === 0 || line === log[at - 1]?.replace("begins", "ends"))).toBe(true);
});
