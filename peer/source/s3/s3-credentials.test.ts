import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { problemIn } from "../../../tests/fixtures/opened-source.ts";
import { type TempFolder, tempFolder } from "../../../tests/fixtures/temp-folder.ts";
import { parseObjectUrl } from "../bucket/bucket-address.ts";
import type { Environment } from "../driver.ts";
import type { StoreRule } from "../store-rule.ts";
import { KeyCache } from "./key-cache.ts";
import { findS3Access } from "./s3-credentials.ts";

const CONFIG = `
[default]
region = eu-central-1
[profile work]
region = eu-west-1
services = local
[profile sso]
sso_session = corp
[profile half]
aws_access_key_id = half-key
[services local]
s3 =
  endpoint_url = http://127.0.0.1:9100
`;
const CREDENTIALS = `
[default]
aws_access_key_id = default-key
aws_secret_access_key = default-secret
[work]
aws_access_key_id = work-key
aws_secret_access_key = work-secret
aws_session_token = work-token
`;

const address = parseObjectUrl("s3://models/llm/weights.bin");
const keys = (name: string) => ({ accessKeyId: `${name}-key`, secretAccessKey: `${name}-secret` });
const environment = { AWS_ACCESS_KEY_ID: "env-key", AWS_SECRET_ACCESS_KEY: "env-secret" };

let home: TempFolder;

beforeAll(async () => {
  home = await tempFolder();
  await mkdir(join(home.path, ".aws"));
  await writeFile(join(home.path, ".aws", "config"), CONFIG);
  await writeFile(join(home.path, ".aws", "credentials"), CREDENTIALS);
});

afterAll(async () => {
  await home[Symbol.asyncDispose]();
});

function find(asked = {}, env: Environment = {}, rules: readonly StoreRule[] = []) {
  return findS3Access(asked, address, {
    env: { HOME: home.path, AWS_EC2_METADATA_DISABLED: "true", ...env },
    rules: () => rules,
    keyCache: new KeyCache(Date.now),
  });
}

async function keyOf(...given: Parameters<typeof find>): Promise<string | undefined> {
  return (await find(...given)).keys?.latest.accessKeyId;
}

test("findS3Access() prefers the request, then the configuration, then the environment, then the profile", async () => {
  const stores = [{ prefix: "s3://models", ...keys("store") }];
  expect(await keyOf(keys("asked"), environment, stores)).toBe("asked-key");
  expect(await keyOf({}, environment, stores)).toBe("store-key");
  expect(await keyOf({}, environment)).toBe("env-key");
  expect(await keyOf({}, { AWS_PROFILE: "work" })).toBe("work-key");
  expect(await keyOf()).toBe("default-key");
});

test("findS3Access() takes the configuration with the longest matching prefix", async () => {
  const stores = [
    { prefix: "s3://models/llm/", ...keys("longest") },
    { prefix: "s3://models/", ...keys("bucket") },
    { prefix: "s3://models/llm/weights.bin.old", ...keys("no-match") },
    { prefix: "s3://other/llm/weights.bin", ...keys("other") },
  ];
  expect(await keyOf({}, {}, stores)).toBe("longest-key");
  expect(await keyOf({}, {}, stores.toReversed())).toBe("longest-key");
});

test("findS3Access() takes both keys and the token from one place", async () => {
  const access = await find({}, { ...environment, AWS_PROFILE: "work" });
  expect(access.keys?.latest).toEqual({ ...keys("env"), sessionToken: undefined });
  expect((await find({}, { AWS_PROFILE: "work" })).keys?.latest).toEqual({
    ...keys("work"),
    sessionToken: "work-token",
  });
});

test("findS3Access() takes endpoint and region from the first place that has them, keys or not", async () => {
  const env = { AWS_ENDPOINT_URL: "http://all:1", AWS_REGION: "us-west-2", AWS_DEFAULT_REGION: "us-west-1" };
  expect(await find({ region: "ap-south-1", pathStyle: false }, env)).toMatchObject({
    region: "ap-south-1",
    pathStyle: false,
    endpoint: new URL("http://all:1"),
  });
  expect((await find({}, { ...env, AWS_ENDPOINT_URL_S3: "http://s3:2" })).endpoint?.host).toBe("s3:2");
  expect((await find({}, env)).region).toBe("us-west-2");
  expect((await find({}, { AWS_DEFAULT_REGION: "us-west-1" })).region).toBe("us-west-1");
  expect((await find()).region).toBe("eu-central-1");
  expect((await find({}, { AWS_PROFILE: "work" })).endpoint?.href).toBe("http://127.0.0.1:9100/");
  expect(
    (await find({}, { AWS_PROFILE: "work", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" })).endpoint,
  ).toBeUndefined();
});

test("findS3Access() takes everything for AWS itself as no endpoint", async () => {
  expect(
    (await find({ endpoint: "https://s3.amazonaws.com" }, { AWS_ENDPOINT_URL: "http://all:1" })).endpoint,
  ).toBeUndefined();
});

test("findS3Access() takes a profile that is asked for before the environment", async () => {
  expect(await keyOf({ profile: "work" }, environment)).toBe("work-key");
  expect(await keyOf({}, environment, [{ prefix: "s3://models/", profile: "work" }])).toBe("work-key");
});

test("findS3Access() does not sign for an endpoint with the keys of another store's configuration", async () => {
  const stores = [{ prefix: "s3://models/", endpoint: "http://inside:9000", ...keys("store") }];
  expect(await keyOf({ endpoint: "http://inside:9000/" }, environment, stores)).toBe("store-key");
  expect(await keyOf({ endpoint: "http://elsewhere:9000" }, environment, stores)).toBe("env-key");
});

test("findS3Access() gives no keys where none are wanted, unless the request has some or insists", async () => {
  const stores = [{ prefix: "s3://models/", anonymous: true }];
  expect(await keyOf({ anonymous: true }, environment)).toBeUndefined();
  expect(await keyOf({}, environment, stores)).toBeUndefined();
  expect(await keyOf(keys("asked"), environment, stores)).toBe("asked-key");
  expect(await keyOf({ anonymous: false }, environment, stores)).toBe("env-key");
});

test("findS3Access() reads the files that the environment names", async () => {
  const credentials = join(home.path, "elsewhere");
  await writeFile(credentials, "[default]\naws_access_key_id = file-key\naws_secret_access_key = file-secret\n");
  expect(await keyOf({}, { AWS_SHARED_CREDENTIALS_FILE: credentials })).toBe("file-key");
});

test("findS3Access() says where it looked when there are no credentials", async () => {
  const problem = await problemIn(find({}, { HOME: "/nonexistent", AWS_ACCESS_KEY_ID: "" }));
  expect(problem.code).toBe("source-forbidden");
  for (const words of [
    "the request",
    "AWS_ACCESS_KEY_ID",
    "profile default in /nonexistent/.aws/config",
    "--storage-anonymous",
  ]) {
    expect(problem.message).toContain(words);
  }
});

test.each([
  [{ accessKeyId: "a-key" }, {}, "the request has the access key id but not the secret"],
  [{ secretAccessKey: "hidden" }, {}, "the request has the secret but not the access key id"],
  [{}, { AWS_ACCESS_KEY_ID: "a-key" }, "the environment"],
  [{}, { AWS_PROFILE: "half" }, "profile half"],
  [{ profile: "nobody" }, {}, "there is no profile nobody"],
  [{}, { AWS_ENDPOINT_URL: "ftp://host" }, "endpoint"],
  [{ region: "x/@evil.example" }, environment, "region"],
  [{ sasToken: "hidden" }, environment, "sasToken means nothing for s3:// URLs"],
  [{}, { AWS_ENDPOINT_URL: "http://user:hidden@host" }, "endpoint"],
])("findS3Access() refuses %j with %j", async (asked, env, words) => {
  const problem = await problemIn(find(asked, env));
  expect(problem.code).toBe("bad-request");
  expect(problem.message).toContain(words);
  expect(problem.message).not.toContain("hidden");
});
