import { expect, test } from "bun:test";
import { z } from "zod";
import { describeIssues } from "./issues.ts";

const schema = z.strictObject({
  url: z.string("must be text"),
  headers: z.record(z.string(), z.string("must be text")).default({}),
  runs: z.array(z.strictObject({ firstPiece: z.number("must be a number") })).default([]),
});

function issuesOf(value: unknown): string {
  const parsed = schema.safeParse(value);
  if (parsed.success) throw new Error("The value fits");
  return describeIssues(parsed.error);
}

test("describeIssues() names every place and what is wrong there in one line", () => {
  expect(issuesOf({ url: 1, headers: { "x y": 2 }, runs: [{ firstPiece: "a" }] })).toBe(
    'url: must be text; headers["x y"]: must be text; runs[0].firstPiece: must be a number',
  );
});

test("describeIssues() gives the message alone when the whole value is wrong", () => {
  expect(describeIssues(z.string("must be text").safeParse(1).error as z.ZodError)).toBe("must be text");
});

test("describeIssues() lets no line break of the sender through, and cuts what is long", () => {
  const text = issuesOf({ url: "u", "a\nlevel=info\u2028b": 1 });
  expect(text).not.toMatch(/[\n\u2028]/);
  expect(text).toContain("a level=info b");
  expect(issuesOf({ url: "u", ["k".repeat(5000)]: 1 })).toHaveLength(1000);
});
