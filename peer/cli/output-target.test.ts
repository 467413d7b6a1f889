import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { outputTarget } from "./output-target.ts";

let cwd = "";
const url = "https://host/models/llama%207b.bin?sig=1";

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "pantala-output-"));
  await mkdir(join(cwd, "folder"));
  await writeFile(join(cwd, "there.bin"), "old");
  await symlink("there.bin", join(cwd, "link.bin"));
});
afterAll(() => rm(cwd, { recursive: true }));

describe("outputTarget()", () => {
  test("takes a file, a folder or nothing", async () => {
    expect(await outputTarget({ output: "a.bin", url, cwd, overwrite: false })).toBe(join(cwd, "a.bin"));
    expect(await outputTarget({ output: "folder", url, cwd, overwrite: false })).toBe(join(cwd, "folder/llama 7b.bin"));
    expect(await outputTarget({ output: undefined, url, cwd, overwrite: false })).toBe(join(cwd, "llama 7b.bin"));
  });

  test.each(["there.bin", "link.bin"])("replaces %s only when told to", async (output) => {
    await expect(outputTarget({ output, url, cwd, overwrite: false })).rejects.toMatchObject({ code: "output-exists" });
    expect(await outputTarget({ output, url, cwd, overwrite: true })).toBe(join(cwd, output));
  });

  test.each(["missing/a.bin", "missing/", "there.bin/a", "/dev/null"])(
    "refuses %s before anything is fetched",
    async (output) => {
      await expect(outputTarget({ output, url, cwd, overwrite: true })).rejects.toMatchObject({
        code: "output-unwritable",
      });
    },
  );

  test.each([
    ["s3://bucket/models/x#1.bin", "x#1.bin"],
    ["s3://bucket/dir#1/x.bin", "x.bin"],
    ["s3://bucket/a%20b", "a%20b"],
    ["s3://bucket/what?", "what?"],
    ["s3://bucket/end ", "end "],
    ["S3://bucket/x?versionId=7", "x"],
    ["gs://bucket/x?generation=7", "x"],
    ["as://account/container/x?sv=1&sig=hidden%2F", "x"],
    ["hf://owner/repo@refs/pr/1/x.json", "x.json"],
  ])("takes the name of %s as the store has it: %s", async (address, name) => {
    expect(await outputTarget({ output: undefined, url: address, cwd, overwrite: false })).toBe(join(cwd, name));
  });

  test.each([
    "https://host/",
    "s3://bucket",
    "s3://bucket/dir/",
    "s3://bucket/..",
    "https://host/a%2Fb",
    "https://host/..%2f",
    "https://host/%2e%2e%00",
    "https://host/a%0ab",
  ])("takes no file name from %s", async (address) => {
    const hostile = { output: undefined, url: address, cwd, overwrite: false };
    await expect(outputTarget(hostile)).rejects.toMatchObject({ code: "bad-request" });
  });
});
