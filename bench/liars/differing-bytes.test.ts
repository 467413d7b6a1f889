import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempFolder } from "../../tests/fixtures/temp-folder.ts";
import { differingBytes } from "./differing-bytes.ts";

test("differingBytes() counts every byte that is another, and those that one file lacks", async () => {
  await using folder = await tempFolder();
  const path = (name: string) => join(folder.path, name);
  const content = randomBytes(2 * 1024 * 1024 + 5);
  const rotten = Uint8Array.from(content);
  for (const at of [0, 1024 * 1024, content.length - 1]) rotten[at] = (rotten[at] ?? 0) ^ 1;
  await writeFile(path("right"), content);
  await writeFile(path("rotten"), rotten);
  await writeFile(path("short"), content.subarray(0, 1024 * 1024));
  expect(await differingBytes(path("right"), path("right"))).toBe(0);
  expect(await differingBytes(path("rotten"), path("right"))).toBe(3);
  expect(await differingBytes(path("short"), path("right"))).toBe(1024 * 1024 + 5);
});
