import { expect, test } from "bun:test";
import { foldedName } from "./folded-name.ts";

test.each([
  ["", "/", "a/", "a/"],
  ["a/", "/", "a/b/", "a/b/"],
  ["a", "/", "a/", "a/"],
  ["a-", "--", "a-b--", "a-b--"],
])("foldedName() of what begins with '%s', folded at %s, behind %s is %s", (prefix, delimiter, name, folded) => {
  expect(foldedName({ prefix, delimiter, after: { name } })).toBe(folded);
});

test.each([
  ["a/", "/", "a/"],
  ["a/b", "/", "a/"],
  ["", "/", "a/b/"],
  ["", "/", "a"],
  ["a-", "--", "a--"],
  ["", "--", "a"],
  ["", "", "a/"],
])("foldedName() of what begins with '%s', folded at '%s', behind %s is none", (prefix, delimiter, name) => {
  expect(foldedName({ prefix, delimiter, after: { name } })).toBeUndefined();
});

test("foldedName() knows no tokens", () => {
  expect(foldedName({ delimiter: "/", after: { token: "a/" } })).toBeUndefined();
  expect(foldedName({ delimiter: "/" })).toBeUndefined();
});
