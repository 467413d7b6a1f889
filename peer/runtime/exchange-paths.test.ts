import { expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exchangePaths } from "./exchange-paths.ts";

test("two folders change places, and a path that is absent changes nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pantala-exchange-"));
  try {
    const [one, other] = [join(folder, "one é"), join(folder, "other")];
    await mkdir(one);
    await mkdir(other);
    await writeFile(join(one, "first"), "");
    expect(await exchangePaths(one, other)).toBe(true);
    expect(await readdir(other)).toEqual(["first"]);
    expect(await readdir(one)).toEqual([]);
    expect(await exchangePaths(one, join(folder, "absent"))).toBe(false);
    expect((await readdir(folder)).toSorted()).toEqual(["one é", "other"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
