import { expect, test } from "bun:test";
import { problemIn, sourceOpener } from "../../../tests/fixtures/opened-source.ts";
import { readVectors, signedByUs } from "../../../tests/fixtures/vendor-vectors.ts";
import { OBS_STORE } from "./obs-store.ts";

const ENDPOINT = "https://obs.cn-north-4.myhuaweicloud.com";
const FILE = await readVectors("obs");

test.each(FILE.vectors)(`OBS requests are signed as ${FILE.sdk} signs them: %j`, async (vector) => {
  expect(await signedByUs(OBS_STORE, ENDPOINT, FILE, vector)).toBe(vector.authorization);
});

test("OBS URLs that were signed for one object are one location, and two objects never are", async () => {
  const opened = FILE.signedUrls.map(async ([key, url]) => [key, (await sourceOpener().open(url)).location] as const);
  const byKey = Map.groupBy(await Promise.all(opened), ([key]) => key);
  const locations = [...byKey.values()].map((pairs) => new Set(pairs.map(([, location]) => location)));
  expect(locations.every((found) => found.size === 1)).toBe(true);
  expect(new Set(locations.map(([location]) => location)).size).toBe(byKey.size);
  expect(FILE.signedUrls.every(([, url]) => /[?&][^=]*signature=/i.test(url))).toBe(true);
});

test.each([
  ["https://obs.cn-north-4.myhuaweicloud.com", "cn-north-4", "myhuaweicloud.com"],
  ["https://obs.eu-west-101.myhuaweicloud.eu", "eu-west-101", "myhuaweicloud.eu"],
  ["https://obs.myhuaweicloud.com", undefined, "myhuaweicloud.com"],
  ["https://store.apig.cn-north-4.myhuaweicloud.com", undefined, "store.apig.cn-north-4.myhuaweicloud.com"],
  ["https://obs.example", undefined, "obs.example"],
])("an OBS endpoint %s is in region %p of %s", (endpoint, region, name) => {
  expect(OBS_STORE.regionOf(new URL(endpoint))).toBe(region);
  expect(OBS_STORE.storeName(new URL(endpoint))).toBe(name);
});

const OWN = { OBS_ACCESS_KEY_ID: "an-id", OBS_SECRET_ACCESS_KEY: "hidden-secret", OBS_SECURITY_TOKEN: "hidden-token" };

test("OBS takes keys and endpoint from the variables of the vendor's tools", async () => {
  const { open } = sourceOpener({ env: { ...OWN, OBS_ENDPOINT: "obs.cn-south-1.myhuaweicloud.com" } });
  const { location, portableRequest } = await open("obs://bucket/a b");
  expect(location).toBe("obs://myhuaweicloud.com/bucket/a%20b");
  expect(portableRequest.store).toEqual({
    endpoint: "https://obs.cn-south-1.myhuaweicloud.com/",
    region: "cn-south-1",
    pathStyle: false,
    anonymous: false,
    accessKeyId: "an-id",
    secretAccessKey: "hidden-secret",
    sessionToken: "hidden-token",
  });
});

test("OBS makes the endpoint of the region, and one object is one task by whatever rights", async () => {
  const { open } = sourceOpener({ env: { ...OWN, OBS_REGION: "cn-south-1" } });
  const own = await open("obs://bucket/key");
  const public_ = await open("obs://bucket/key", {
    store: { anonymous: true, endpoint: "https://obs.cn-south-1.myhuaweicloud.com" },
  });
  expect(own.location).toBe(public_.location);
  expect(public_.portableRequest.store).toMatchObject({ anonymous: true });
});

test("OBS prefers the request to the rule, and the rule to the environment", async () => {
  const stores = () => [{ prefix: "obs://models", region: "cn-south-1", accessKeyId: "rule", secretAccessKey: "r" }];
  const { open } = sourceOpener({ env: OWN, stores });
  const keyOf = async (store: object) => (await open("obs://models/x", { store })).portableRequest.store?.accessKeyId;
  expect(await keyOf({})).toBe("rule");
  expect(await keyOf({ accessKeyId: "asked", secretAccessKey: "a" })).toBe("asked");
});

test.each([
  [{}, { OBS_REGION: "cn-south-1" }, "source-forbidden", "OBS_ACCESS_KEY_ID"],
  [{}, OWN, "bad-request", "OBS_ENDPOINT"],
  [{ region: "cn-south-1", accessKeyId: "an-id" }, {}, "bad-request", "not the secret"],
  [{ region: "x/@evil.example", accessKeyId: "an-id", secretAccessKey: "s" }, {}, "bad-request", "region"],
  [{ region: "cn-south-1", sasToken: "hidden" }, OWN, "bad-request", "sasToken means nothing for obs:// URLs"],
])("OBS with %j and %j is %s", async (store, env, code, words) => {
  const problem = await problemIn(sourceOpener({ env }).open("obs://bucket/key", { store }));
  expect(problem.toProblem()).toMatchObject({ code, message: expect.stringContaining(words) });
  expect(problem.message).not.toContain("hidden");
});
