import { expect, test } from "bun:test";
import { isAbsolute, normalize } from "node:path";
import fc from "fast-check";
import { isProblemError } from "../../schema/problem.ts";
import { isIncluded, pathInFolder } from "./folder-names.ts";

test.each([
  ["models/a.bin", "models/", "a.bin"],
  ["models/sub dir/..a/b.bin", "models/", "sub dir/..a/b.bin"],
  ["a", "", "a"],
])("the key %j under %j is the file %j", (key, prefix, path) => {
  expect(pathInFolder(key, prefix)).toBe(path);
});

test.each([
  ["../../etc/passwd", "segment: copy the object"],
  ["a/../../b", "segment"],
  ["./a", "segment"],
  ["/etc/passwd", "begins with a slash"],
  ["a//b", "empty segment: fetch it alone"],
  ["a\0b", "NUL: copy the object"],
  [`${"x".repeat(256)}/a`, "too long"],
  [".pantala-get.jsonl", "record"],
])("the key %j is no file of the folder: its name %s", (key, words) => {
  try {
    pathInFolder(`models/${key}`, "models/");
    throw new Error("it was taken");
  } catch (error) {
    if (!isProblemError(error)) throw error;
    expect([error.code, error.message]).toEqual(["output-unwritable", expect.stringContaining(words)]);
  }
});

test("whatever a key is, its file lies in the folder", () => {
  const part = fc.constantFrom("..", ".", "", "a", "\0", "…", "a\\..", "~", "C:");
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
      try {
        const path = pathInFolder(parts.join("/"), "");
        expect([isAbsolute(path), normalize(path)]).toEqual([false, path]);
        expect(path.split("/")).not.toContain("..");
      } catch (error) {
        if (!isProblemError(error)) throw error;
      }
    }),
  );
});

test.each([
  ["a/b.bin", [], true],
  ["a/b.bin", ["*.bin"], true],
  ["a/b.bin", ["a/*"], true],
  ["a/c/b.bin", ["a/*"], false],
  ["a/c/b.bin", ["a/**"], true],
  ["b.txt", ["*.bin", "*.{txt,md}"], true],
  [".hidden", ["*"], true],
  ["a/b.bin", ["b"], false],
])("the file %j with the patterns %j: %p", (path, patterns, included) => {
  expect(isIncluded(path, patterns)).toBe(included);
});
