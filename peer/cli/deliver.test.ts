import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmod, link, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DeliverOptions, deliver } from "./deliver.ts";

let folder = "";
let stored = "";
const options = (): DeliverOptions => ({
  overwrite: false,
  forceHardLink: false,
  suffix: "0123abcd",
  umask: 0o027,
  signal: new AbortController().signal,
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pantala-deliver-"));
  await mkdir(join(folder, "out"));
  stored = join(folder, "content");
  await writeFile(stored, "verified");
  await chmod(stored, 0o444);
});
afterEach(() => rm(folder, { recursive: true }));

const outputs = () => readdir(join(folder, "out"));
const elsewhere = async () => {
  const path = await mkdtemp("/dev/shm/pantala-deliver-");
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
};

describe("deliver()", () => {
  test("links where it can: the output is the store's own file", async () => {
    const to = join(folder, "out/file");
    expect(await deliver(stored, to, options())).toBe("hard-link");
    expect((await stat(to)).ino).toBe((await stat(stored)).ino);
    expect(await outputs()).toEqual(["file"]);
  });

  test("copies to another file system, with the mode of a new file", async () => {
    await using other = await elsewhere();
    const to = join(other.path, "file");
    expect(await deliver(stored, to, options())).toBe("reflink-or-copy");
    expect(await readFile(to, "utf8")).toBe("verified");
    expect((await stat(to)).mode & 0o777).toBe(0o640);
    expect(await readdir(other.path)).toEqual(["file"]);
  });

  test("refuses to copy when a hard link is demanded", async () => {
    await using other = await elsewhere();
    const delivery = deliver(stored, join(other.path, "file"), { ...options(), forceHardLink: true });
    await expect(delivery).rejects.toMatchObject({
      code: "output-unwritable",
      message: expect.stringContaining("EXDEV"),
    });
    expect(await readdir(other.path)).toEqual([]);
  });

  test("leaves what appeared under the name since it was checked", async () => {
    const to = join(folder, "out/file");
    await writeFile(to, "mine");
    await expect(deliver(stored, to, options())).rejects.toMatchObject({ code: "output-exists" });
    expect(await readFile(to, "utf8")).toBe("mine");
    expect(await outputs()).toEqual(["file"]);
  });

  test("replaces when told to, even what is a link to the same content already", async () => {
    const to = join(folder, "out/file");
    await writeFile(to, "old");
    expect(await deliver(stored, to, { ...options(), overwrite: true })).toBe("hard-link");
    expect(await readFile(to, "utf8")).toBe("verified");
    await rm(to);
    await link(stored, to);
    expect(await deliver(stored, to, { ...options(), overwrite: true })).toBe("hard-link");
    expect(await outputs()).toEqual(["file"]);
  });

  test("leaves nothing behind when it was interrupted", async () => {
    const signal = AbortSignal.abort(new Error("interrupted"));
    await expect(deliver(stored, join(folder, "out/file"), { ...options(), signal })).rejects.toThrow("interrupted");
    expect(await outputs()).toEqual([]);
  });

  test("tells of a folder that is gone", async () => {
    await expect(deliver(stored, join(folder, "gone/file"), options())).rejects.toMatchObject({
      code: "output-unwritable",
      message: expect.stringContaining("ENOENT"),
    });
  });

  test("takes a name as long as the file system allows", async () => {
    const to = join(folder, "out", "n".repeat(255));
    expect(await deliver(stored, to, options())).toBe("hard-link");
    expect(await outputs()).toEqual(["n".repeat(255)]);
  });
});
