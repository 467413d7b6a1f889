import { expect, test } from "bun:test";
import { patternFault, patternIsIn } from "./pattern.ts";

test("patternIsIn() finds patterns of Go anywhere", () => {
  expect(patternIsIn("blobs/sha256.*", "https://r.test/v2/a/blobs/sha256:0")).toBe(true);
  expect(patternIsIn("(?i).*AMAZONAWS.*", "http://b.s3.amazonaws.com/k")).toBe(true);
  expect(patternIsIn("^https://", "http://a")).toBe(false);
});

test("patternIsIn() takes what others need years for", () => {
  expect(patternIsIn("^(a+)+$", `${"a".repeat(4000)}!`)).toBe(false);
});

test("patternFault() says what is wrong with a pattern", () => {
  expect(patternFault("a(")).toContain("a(");
  expect(patternFault(".*models.*")).toBeUndefined();
});
