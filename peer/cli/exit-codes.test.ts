import { expect, test } from "bun:test";
import { PROBLEM_CODES } from "../../schema/problem.ts";
import { EXIT_CODES, exitCodeOf } from "./exit-codes.ts";

test("exitCodeOf() gives every problem a code that is documented and no success", () => {
  const documented: readonly number[] = Object.values(EXIT_CODES).map(({ code }) => code);
  for (const problem of PROBLEM_CODES) {
    expect(documented).toContain(exitCodeOf(problem));
    expect(exitCodeOf(problem)).not.toBe(0);
  }
});

test("EXIT_CODES gives no number two meanings, and every failure one that a shell can carry", () => {
  const codes = Object.values(EXIT_CODES).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  for (const code of codes) expect(code).toBeLessThan(256);
});

test("exitCodeOf() tells a port or folder that is in use from a command that is wrong", () => {
  expect([exitCodeOf("in-use"), exitCodeOf("conflict")]).toEqual([EXIT_CODES.busy.code, EXIT_CODES.usage.code]);
});
