import { expect, test } from "bun:test";
import { appendFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { problemOf } from "../../schema/problem.ts";
import { tempFolder } from "../../tests/fixtures/temp-folder.ts";
import { FolderRecord, RECORD_NAME } from "./folder-record.ts";

const FILE = { url: "s3://bucket/ a", version: 'etag:"1"', sizeBytes: 5, path: "a" };

test("a record knows a file that is as it was delivered, also in another process", async () => {
  await using folder = await tempFolder();
  await writeFile(join(folder.path, "a"), "hello");
  await (await FolderRecord.open(folder.path)).add(FILE);
  const record = await FolderRecord.open(folder.path);
  expect(await record.has(FILE)).toBe(true);
  expect(await record.has({ ...FILE, version: 'etag:"2"' })).toBe(false);
  expect(await record.has({ ...FILE, url: "s3://other/ a" })).toBe(false);
  expect(await record.has({ ...FILE, sizeBytes: 6 })).toBe(false);
  expect(await record.has({ ...FILE, version: null })).toBe(false);
});

test("a record does not know a file that somebody wrote to, replaced or removed", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "a");
  const record = await FolderRecord.open(folder.path);
  await writeFile(path, "hello");
  await record.add(FILE);
  await writeFile(join(folder.path, "b"), "HELLO");
  await rename(join(folder.path, "b"), path);
  expect(await record.has(FILE)).toBe(false);
  await record.add(FILE);
  await appendFile(path, "!");
  expect(await record.has(FILE)).toBe(false);
});

test("a record whose last line was written in part goes on with whole ones", async () => {
  await using folder = await tempFolder();
  await writeFile(join(folder.path, "a"), "hello");
  await writeFile(join(folder.path, RECORD_NAME), `{"url":"s3://bu`);
  await (await FolderRecord.open(folder.path)).add(FILE);
  expect(await (await FolderRecord.open(folder.path)).has(FILE)).toBe(true);
});

test("a record that cannot be written says so, and which file it is about", async () => {
  await using folder = await tempFolder();
  await writeFile(join(folder.path, "a"), "hello");
  await mkdir(join(folder.path, RECORD_NAME));
  const record = await FolderRecord.open(folder.path);
  const problem = await record.add(FILE).then(String, problemOf);
  expect(problem).toMatchObject({ code: "output-unwritable", message: expect.stringContaining("a is there, but") });
});

test("a record with broken lines is read as far as it goes, and one that grew is written anew", async () => {
  await using folder = await tempFolder();
  await writeFile(join(folder.path, "a"), "hello");
  const record = await FolderRecord.open(folder.path);
  await record.add(FILE);
  const line = await readFile(join(folder.path, RECORD_NAME), "utf8");
  await writeFile(join(folder.path, RECORD_NAME), `{"half\n${line.repeat(1100)}`);
  expect(await (await FolderRecord.open(folder.path)).has(FILE)).toBe(true);
  expect(await readFile(join(folder.path, RECORD_NAME), "utf8")).toBe(line);
});
