import { expect, test } from "bun:test";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkFolder } from "./writable-folder.ts";

test("checkFolder() accepts a folder that is there or can be made, and leaves nothing behind", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pantala-folder-"));
  expect(await checkFolder(folder)).toBeUndefined();
  expect(await checkFolder(join(folder, "a", "b"))).toBeUndefined();
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
});

test("checkFolder() says why a folder cannot be made, also to root", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pantala-folder-"));
  await writeFile(join(folder, "file"), "");
  expect(await checkFolder(join(folder, "file"))).toBe("ENOTDIR");
  expect(await checkFolder(join(folder, "file", "below"))).toBe("ENOTDIR");
  expect(await checkFolder("/proc/x/y")).toMatch(/^E[A-Z]+$/);
  await rm(folder, { recursive: true });
});
