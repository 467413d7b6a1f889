import { expect, test } from "bun:test";
import { problemIn, sourceOpener } from "../../../tests/fixtures/opened-source.ts";
import { readVectors, signedByUs } from "../../../tests/fixtures/vendor-vectors.ts";
import { COS_STORE } from "./cos-store.ts";

const ENDPOINT = "https://cos.ap-guangzhou.myqcloud.com";
const FILE = await readVectors("cos");

test.each(FILE.vectors)(`COS requests are signed as ${FILE.sdk} signs them: %j`, async (vector) => {
  expect(await signedByUs(COS_STORE, ENDPOINT, FILE, vector)).toBe(vector.authorization);
});

test("COS URLs that were signed for one object are one location, and two objects never are", async () => {
  const opened = FILE.signedUrls.map(async ([key, url]) => [key, (await sourceOpener().open(url)).location] as const);
  const byKey = Map.groupBy(await Promise.all(opened), ([key]) => key);
  const locations = [...byKey.values()].map((pairs) => new Set(pairs.map(([, location]) => location)));
  expect(locations.every((found) => found.size === 1)).toBe(true);
  expect(new Set(locations.map(([location]) => location)).size).toBe(byKey.size);
  expect(FILE.signedUrls.every(([, url]) => /[?&][^=]*signature=/i.test(url))).toBe(true);
});

test.each([
  ["https://cos.ap-guangzhou.myqcloud.com", "ap-guangzhou", "ap-guangzhou.myqcloud.com"],
  ["https://cos-internal.ap-guangzhou.tencentcos.cn", "ap-guangzhou", "ap-guangzhou.myqcloud.com"],
  ["https://cos.accelerate.myqcloud.com", undefined, "cos.accelerate.myqcloud.com"],
  ["https://cos.example:8443", undefined, "cos.example:8443"],
])("a COS endpoint %s is in region %p of %s", (endpoint, region, name) => {
  expect(COS_STORE.regionOf(new URL(endpoint))).toBe(region);
  expect(COS_STORE.storeName(new URL(endpoint))).toBe(name);
});

const OWN = { COS_SECRET_ID: "an-id", TENCENTCLOUD_SECRET_KEY: "hidden-secret", COS_SESSION_TOKEN: "hidden-token" };

test("COS takes keys and endpoint from the variables of the vendor's tools", async () => {
  const { open } = sourceOpener({ env: { ...OWN, COS_ENDPOINT: "cos.ap-beijing.myqcloud.com" } });
  const { location, portableRequest } = await open("cos://bucket/a b");
  expect(location).toBe("cos://ap-beijing.myqcloud.com/bucket/a%20b");
  expect(portableRequest.store).toEqual({
    endpoint: "https://cos.ap-beijing.myqcloud.com/",
    region: "ap-beijing",
    pathStyle: false,
    anonymous: false,
    accessKeyId: "an-id",
    secretAccessKey: "hidden-secret",
    sessionToken: "hidden-token",
  });
});

test("COS makes the endpoint of the region, and one object is one task by whatever rights", async () => {
  const { open } = sourceOpener({ env: { ...OWN, COS_REGION: "ap-beijing" } });
  const own = await open("cos://bucket/key");
  const public_ = await open("cos://bucket/key", {
    store: { anonymous: true, endpoint: "https://cos.ap-beijing.myqcloud.com" },
  });
  expect(own.location).toBe(public_.location);
  expect(public_.portableRequest.store).toMatchObject({ anonymous: true });
});

test("COS prefers the request to the rule, and the rule to the environment", async () => {
  const stores = () => [{ prefix: "cos://models", region: "ap-beijing", accessKeyId: "rule", secretAccessKey: "r" }];
  const { open } = sourceOpener({ env: OWN, stores });
  const keyOf = async (store: object) => (await open("cos://models/x", { store })).portableRequest.store?.accessKeyId;
  expect(await keyOf({})).toBe("rule");
  expect(await keyOf({ accessKeyId: "asked", secretAccessKey: "a" })).toBe("asked");
});

test.each([
  [{}, { COS_REGION: "ap-beijing" }, "source-forbidden", "COS_SECRET_ID"],
  [{}, OWN, "bad-request", "COS_ENDPOINT"],
  [{ region: "ap-beijing", accessKeyId: "an-id" }, {}, "bad-request", "not the secret"],
  [{ region: "x/@evil.example", accessKeyId: "an-id", secretAccessKey: "s" }, {}, "bad-request", "region"],
  [{ region: "ap-beijing", sasToken: "hidden" }, OWN, "bad-request", "sasToken means nothing for cos:// URLs"],
])("COS with %j and %j is %s", async (store, env, code, words) => {
  const problem = await problemIn(sourceOpener({ env }).open("cos://bucket/key", { store }));
  expect(problem.toProblem()).toMatchObject({ code, message: expect.stringContaining(words) });
  expect(problem.message).not.toContain("hidden");
});
