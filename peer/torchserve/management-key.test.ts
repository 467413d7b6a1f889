import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManagementKey } from "./management-key.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pantala-keys-"));
});
afterAll(() => rm(folder, { recursive: true }));

const NOW = Date.parse("2026-11-22T00:00:00Z");

async function write(name: string, management: string, expires: string): Promise<string> {
  const path = join(folder, name);
  const keys = {
    management: { key: management, "expiration time": expires },
    inference: { key: "i", "expiration time": expires },
    API: { key: "api" },
  };
  await writeFile(path, JSON.stringify(keys, undefined, 2));
  return path;
}

test("a key that was written anew is used at once", async () => {
  const path = await write("changed.json", "first", "2026-11-22T01:01:29.296524669Z");
  const renew = () => Promise.reject(new Error("nothing has expired"));
  const key = new ManagementKey({ path, nowMs: () => NOW, renew });
  expect(await key.authorization()).toBe("Bearer first");
  await write("changed.json", "second", "2026-11-22T01:01:29.296524669Z");
  expect(await key.authorization()).toBe("Bearer second");
});

test("a key that has expired is renewed once, with the API key, for all who wait", async () => {
  const path = await write("expired.json", "old", "2026-11-21T23:59:59.9Z");
  const asked: string[] = [];
  const renew = async (authorization: string) => {
    asked.push(authorization);
    await write("expired.json", "new", "2026-11-22T01:00:00Z");
  };
  const key = new ManagementKey({ path, nowMs: () => NOW, renew });
  expect(await Promise.all([key.authorization(), key.authorization()])).toEqual(["Bearer new", "Bearer new"]);
  expect(asked).toEqual(["Bearer api"]);
});

test("a key file that is absent or broken is told, with its name and no key", async () => {
  const renew = () => Promise.resolve();
  const absent = new ManagementKey({ path: join(folder, "absent.json"), nowMs: () => NOW, renew });
  expect(absent.authorization()).rejects.toThrow("absent.json");
  const path = join(folder, "broken.json");
  await writeFile(path, '{"management": {"key": "hush"}}');
  const error = await new ManagementKey({ path, nowMs: () => NOW, renew })
    .authorization()
    .catch((thrown: unknown) => thrown);
  expect(String(error)).toContain("expiration time");
  expect(String(error)).not.toContain("hush");
});
