import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Hono } from "hono";
import { problemOf } from "../../schema/problem.ts";
import { listReplySchema, storeCheckSchema } from "../../schema/wire/local-stores.ts";
import { MemoryBuckets } from "../../tests/fixtures/bucket-contents.ts";
import { type S3Store, startS3Store } from "../../tests/fixtures/s3-store.ts";
import { createSources } from "../source/sources.ts";
import type { StoreRule } from "../source/store-rule.ts";
import { storeRoutes } from "./store-routes.ts";

const KEYS = { accessKeyId: "access-key", secretAccessKey: "secret/key" };

let store: S3Store;
let rules: StoreRule[];
let app: Hono;

beforeAll(async () => {
  const contents = new MemoryBuckets();
  for (const key of ["models/a.bin", "models/sub/b.bin", "models2/c.bin", "models/odd?versionId=1"]) {
    contents.put("bucket", key, new TextEncoder().encode(key));
  }
  for (let n = 0; n < 1100; n++) contents.put("many", `n/${String(n).padStart(4, "0")}`, new Uint8Array(n));
  store = await startS3Store({ contents, ...KEYS });
  rules = [{ prefix: "s3://bucket", endpoint: store.url, ...KEYS }];
  const sources = createSources({
    env: { HOME: "/nonexistent", AWS_EC2_METADATA_DISABLED: "true" },
    stores: () => rules,
  });
  app = storeRoutes({ sources, stores: () => rules, env: { HF_TOKEN: "secret/token", AWS_ACCESS_KEY_ID: "" } });
  app.onError((error, c) => c.json(problemOf(error), 500));
});

afterAll(() => store.stop());

async function post(path: string, body: object): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  return await (await app.request(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

describe("POST /v1/list", () => {
  test("tells what lies in a folder, and nothing of one whose name begins alike", async () => {
    const reply = listReplySchema.parse(await post("/v1/list", { source: { url: "s3://bucket/models" } }));
    expect([reply.url, reply.prefix, reply.next]).toEqual(["s3://bucket/models", "models/", undefined]);
    expect(reply.objects.map(({ key }) => key)).toEqual(["models/a.bin", "models/odd?versionId=1", "models/sub/b.bin"]);
    expect(reply.objects[0]).toEqual({
      key: "models/a.bin",
      sizeBytes: 12,
      version: expect.stringMatching(/^etag:"[0-9a-f]{32}"$/),
      url: "s3://bucket/models/a.bin",
    });
  });

  test("says of a key that no URL can name why that is", async () => {
    const reply = listReplySchema.parse(await post("/v1/list", { source: { url: "s3://bucket/models/" } }));
    expect(reply.objects[1]?.url).toMatchObject({ code: "bad-request" });
  });

  test("asks the store once for commands that list the same at the same time", async () => {
    const source = { url: "s3://many/n/000", store: { endpoint: store.url, ...KEYS } };
    const before = store.stats().requestCount;
    const pages = await Promise.all([post("/v1/list", { source }), post("/v1/list", { source })]);
    expect(pages[0]).toEqual(pages[1]);
    expect(store.stats().requestCount - before).toBe(1);
    const others = { ...source, store: { ...source.store, secretAccessKey: "wrong" } };
    expect(await post("/v1/list", { source: others })).toMatchObject({ code: "source-forbidden" });
  });

  test("goes on where the page before ended", async () => {
    const source = { url: "s3://many/", store: { endpoint: store.url, ...KEYS } };
    const first = listReplySchema.parse(await post("/v1/list", { source }));
    const second = listReplySchema.parse(await post("/v1/list", { source, after: first.next }));
    expect([first.objects.length, second.objects.length, second.next]).toEqual([1000, 100, undefined]);
  });
});

test("GET /v1/stores tells of each rule what kind of credentials it has, and nothing of them", async () => {
  const text = await (await app.request("/v1/stores")).text();
  expect(JSON.parse(text)).toEqual({
    items: [
      { prefix: "s3://bucket", endpoint: store.url, region: null, credentials: "access keys" },
      { prefix: "hf://", endpoint: null, region: null, credentials: "HF_TOKEN of the environment" },
    ],
  });
  expect(text).not.toContain("secret/");
});

test("GET /v1/stores tells no secret that stands where none belongs", async () => {
  const misplaced = [
    { prefix: "as://account/container?sv=1&sig=hidden", anonymous: true },
    { prefix: "s3://bucket", endpoint: "https://user:hidden@store.example/?token=hidden", ...KEYS },
  ];
  const text = await (
    await storeRoutes({ sources: createSources({ env: {} }), stores: () => misplaced, env: {} }).request("/v1/stores")
  ).text();
  expect(text).not.toContain("hidden");
  expect(text).toContain("https://store.example/?…");
});

describe("POST /v1/stores/check", () => {
  const check = (url: string, options: object = {}) => post("/v1/stores/check", { source: { url, store: options } });

  test("lists a bucket and reads its first object", async () => {
    expect(storeCheckSchema.parse(await check("s3://bucket"))).toEqual({
      url: "s3://bucket/",
      listedKeys: 4,
      readKey: "models/a.bin",
    });
  });

  test("reads an object", async () => {
    expect(await check("s3://bucket/models/a.bin")).toMatchObject({
      listedKeys: null,
      readKey: "s3://bucket/models/a.bin",
    });
  });

  test("tells what is wrong with the credentials", async () => {
    const wrong = { endpoint: store.url, ...KEYS, secretAccessKey: "wrong" };
    expect(await check("s3://bucket/models", wrong)).toMatchObject({
      code: "source-forbidden",
      message: expect.stringContaining("Check the access key"),
    });
    expect(await check("s3://nowhere", { endpoint: store.url, ...KEYS })).toMatchObject({ code: "source-not-found" });
  });
});
