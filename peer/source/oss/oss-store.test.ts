import { expect, test } from "bun:test";
import { problemIn, sourceOpener } from "../../../tests/fixtures/opened-source.ts";
import { readVectors, signedByUs } from "../../../tests/fixtures/vendor-vectors.ts";
import { OSS_STORE } from "./oss-store.ts";

const ENDPOINT = "https://oss-cn-hangzhou.aliyuncs.com";
const FILE = await readVectors("oss");

test.each(FILE.vectors)(`OSS requests are signed as ${FILE.sdk} signs them: %j`, async (vector) => {
  expect(await signedByUs(OSS_STORE, ENDPOINT, FILE, vector)).toBe(vector.authorization);
});

test("OSS URLs that were signed for one object are one location, and two objects never are", async () => {
  const opened = FILE.signedUrls.map(async ([key, url]) => [key, (await sourceOpener().open(url)).location] as const);
  const byKey = Map.groupBy(await Promise.all(opened), ([key]) => key);
  const locations = [...byKey.values()].map((pairs) => new Set(pairs.map(([, location]) => location)));
  expect(locations.every((found) => found.size === 1)).toBe(true);
  expect(new Set(locations.map(([location]) => location)).size).toBe(byKey.size);
  expect(FILE.signedUrls.every(([, url]) => /[?&][^=]*signature=/i.test(url))).toBe(true);
});

test.each([
  ["https://oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou", "aliyuncs.com"],
  ["https://oss-cn-hangzhou-internal.aliyuncs.com", "cn-hangzhou", "aliyuncs.com"],
  ["https://us-west-1.oss.aliyuncs.com", "us-west-1", "aliyuncs.com"],
  ["https://oss-accelerate.aliyuncs.com", undefined, "aliyuncs.com"],
  ["https://123.cn-hangzhou.fc.aliyuncs.com", undefined, "123.cn-hangzhou.fc.aliyuncs.com"],
  ["https://oss-cn-hangzhou.aliyuncs.com.example", undefined, "oss-cn-hangzhou.aliyuncs.com.example"],
  ["http://127.0.0.1:9000/oss/", undefined, "127.0.0.1:9000/oss"],
])("an OSS endpoint %s is in region %p of %s", (endpoint, region, name) => {
  expect(OSS_STORE.regionOf(new URL(endpoint))).toBe(region);
  expect(OSS_STORE.storeName(new URL(endpoint))).toBe(name);
});

const OWN = { OSS_ACCESS_KEY_ID: "an-id", OSS_ACCESS_KEY_SECRET: "hidden-secret", OSS_SESSION_TOKEN: "hidden-token" };

test("OSS takes keys and endpoint from the variables of the vendor's tools", async () => {
  const { open } = sourceOpener({ env: { ...OWN, OSS_ENDPOINT: "oss-cn-beijing.aliyuncs.com" } });
  const { location, portableRequest } = await open("oss://bucket/a b");
  expect(location).toBe("oss://aliyuncs.com/bucket/a%20b");
  expect(portableRequest.store).toEqual({
    endpoint: "https://oss-cn-beijing.aliyuncs.com/",
    region: "cn-beijing",
    pathStyle: false,
    anonymous: false,
    accessKeyId: "an-id",
    secretAccessKey: "hidden-secret",
    sessionToken: "hidden-token",
  });
});

test("OSS makes the endpoint of the region, and one object is one task by whatever rights", async () => {
  const { open } = sourceOpener({ env: { ...OWN, OSS_REGION: "cn-beijing" } });
  const own = await open("oss://bucket/key");
  const public_ = await open("oss://bucket/key", {
    store: { anonymous: true, endpoint: "https://oss-cn-beijing.aliyuncs.com" },
  });
  expect(own.location).toBe(public_.location);
  expect(public_.portableRequest.store).toMatchObject({ anonymous: true });
});

test("OSS prefers the request to the rule, and the rule to the environment", async () => {
  const stores = () => [{ prefix: "oss://models", region: "cn-beijing", accessKeyId: "rule", secretAccessKey: "r" }];
  const { open } = sourceOpener({ env: OWN, stores });
  const keyOf = async (store: object) => (await open("oss://models/x", { store })).portableRequest.store?.accessKeyId;
  expect(await keyOf({})).toBe("rule");
  expect(await keyOf({ accessKeyId: "asked", secretAccessKey: "a" })).toBe("asked");
});

test.each([
  [{}, { OSS_REGION: "cn-beijing" }, "source-forbidden", "OSS_ACCESS_KEY_ID"],
  [{}, OWN, "bad-request", "OSS_ENDPOINT"],
  [{ region: "cn-beijing", accessKeyId: "an-id" }, {}, "bad-request", "not the secret"],
  [{ region: "x/@evil.example", accessKeyId: "an-id", secretAccessKey: "s" }, {}, "bad-request", "region"],
  [{ region: "cn-beijing", sasToken: "hidden" }, OWN, "bad-request", "sasToken means nothing for oss:// URLs"],
])("OSS with %j and %j is %s", async (store, env, code, words) => {
  const problem = await problemIn(sourceOpener({ env }).open("oss://bucket/key", { store }));
  expect(problem.toProblem()).toMatchObject({ code, message: expect.stringContaining(words) });
  expect(problem.message).not.toContain("hidden");
});

const HANGZHOU = "https://oss-cn-hangzhou-internal.aliyuncs.com";

test.each([
  [{ region: "cn-beijing" }, "https://oss-cn-beijing.aliyuncs.com/", "cn-beijing"],
  [{ region: "oss-cn-hangzhou" }, `${HANGZHOU}/`, "oss-cn-hangzhou"],
  [{ endpoint: "https://oss-cn-beijing.aliyuncs.com" }, "https://oss-cn-beijing.aliyuncs.com/", "cn-beijing"],
  [{ endpoint: "https://oss.private.example" }, "https://oss.private.example/", "cn-hangzhou"],
  [{}, `${HANGZHOU}/`, "cn-hangzhou"],
])("OSS that is asked for %j is at %s, whatever else the environment says", async (store, endpoint, region) => {
  const env = { ...OWN, OSS_ENDPOINT: HANGZHOU, OSS_REGION: "cn-hangzhou" };
  const { portableRequest } = await sourceOpener({ env }).open("oss://bucket/key", { store });
  expect(portableRequest.store).toMatchObject({ endpoint, region });
});
