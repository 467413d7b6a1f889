import { expect, test } from "bun:test";
import { archiveNameOf } from "./archive-name.ts";

test.each([
  ["squeezenet1_1.mar", "squeezenet1_1.mar"],
  ["prod/v2/model name+é.mar", "model name+é.mar"],
  ["a..b/c.mar", "c.mar"],
])("archiveNameOf(%j) is the last part", (key, name) => {
  expect(archiveNameOf(key)).toBe(name);
});

test.each([
  [""],
  ["/etc/passwd"],
  [".."],
  ["../a.mar"],
  ["a/../b.mar"],
  ["a/./b.mar"],
  ["a/"],
  ["a\0.mar"],
  ["a\n.mar"],
  ["..\\a.mar"],
  [".hidden.mar"],
  ["c..mar"],
  ["x".repeat(300)],
  [`${"x/".repeat(600)}a.mar`],
])("archiveNameOf(%j) is refused", (key) => {
  expect(() => archiveNameOf(key)).toThrow("file_name");
});
