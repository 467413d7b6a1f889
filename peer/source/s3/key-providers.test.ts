import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { problemIn } from "../../../tests/fixtures/opened-source.ts";
import { type KeyServices, startKeyServices } from "../../../tests/fixtures/s3-key-services.ts";
import { type TempFolder, tempFolder } from "../../../tests/fixtures/temp-folder.ts";
import { parseObjectUrl } from "../bucket/bucket-address.ts";
import type { Environment } from "../driver.ts";
import { KeyCache } from "./key-cache.ts";
import { findS3Access } from "./s3-credentials.ts";

const ASSUMER = { accessKeyId: "assumer-key", secretAccessKey: "assumer-secret" };
const NO_METADATA = { AWS_EC2_METADATA_DISABLED: "true" };
const IDENTITY_TOKEN = "hidden.identity.token";

let home: TempFolder;
let services: KeyServices;

beforeAll(async () => {
  home = await tempFolder();
  await mkdir(join(home.path, ".aws"));
  const helper = `printf '{"Version":1,"AccessKeyId":"helper-key","SecretAccessKey":"helper-secret"}'`;
  await writeFile(join(home.path, "helper"), `#!/bin/sh\n${helper}\n`, { mode: 0o700 });
  await writeFile(join(home.path, "identity"), IDENTITY_TOKEN);
  await writeFile(
    join(home.path, ".aws", "config"),
    `[profile base]
aws_access_key_id = ${ASSUMER.accessKeyId}
aws_secret_access_key = ${ASSUMER.secretAccessKey}
[profile role]
role_arn = arn:aws:iam::123456789012:role/assumed
source_profile = base
[profile web]
role_arn = arn:aws:iam::123456789012:role/by-web
web_identity_token_file = ${join(home.path, "identity")}
[profile helper]
credential_process = ${join(home.path, "helper")}
[profile broken]
credential_process = /nonexistent/helper --password hidden
`,
  );
});

afterAll(async () => {
  await home[Symbol.asyncDispose]();
});

beforeEach(async () => {
  services = await startKeyServices({
    containerToken: "container-secret",
    webIdentityToken: IDENTITY_TOKEN,
    assumer: ASSUMER,
  });
});

afterEach(async () => {
  await services[Symbol.asyncDispose]();
});

const address = parseObjectUrl("s3://models/weights.bin");

function find(env: Environment, asked = {}, keyCache = new KeyCache(Date.now)) {
  return findS3Access(asked, address, {
    env: { HOME: home.path, AWS_ENDPOINT_URL_STS: services.url, ...env },
    rules: () => [],
    keyCache,
  });
}

async function keysOf(...given: Parameters<typeof find>) {
  return (await find(...given)).keys?.latest;
}

const keys = (name: string) => ({
  accessKeyId: `${name}-key`,
  secretAccessKey: `${name}-secret`,
  sessionToken: `${name}-token`,
});

test("a web identity is exchanged for keys without a signature", async () => {
  const env = {
    ...NO_METADATA,
    AWS_WEB_IDENTITY_TOKEN_FILE: join(home.path, "identity"),
    AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/pod",
  };
  expect(await keysOf(env)).toMatchObject(keys("pod"));
  expect(services.asked).toEqual(["AssumeRoleWithWebIdentity"]);
});

test("a refused web identity is told with the service's word for it, and without the token", async () => {
  await writeFile(join(home.path, "forged"), "hidden.forged.token");
  const env = { AWS_WEB_IDENTITY_TOKEN_FILE: join(home.path, "forged"), AWS_ROLE_ARN: "arn:aws:iam::1:role/pod" };
  const problem = await problemIn(find({ ...NO_METADATA, ...env }));
  expect(problem.code).toBe("source-forbidden");
  expect(problem.message).toContain("AWS_WEB_IDENTITY_TOKEN_FILE gave no credentials (InvalidIdentityToken");
  expect(`${problem.stack} ${Bun.inspect(problem)}`).not.toContain("hidden");
});

test("the agent of a container gives keys to who has its token", async () => {
  const env = {
    ...NO_METADATA,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${services.url}/container`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: "container-secret",
  };
  expect(await keysOf(env)).toMatchObject(keys("container"));
  const problem = await problemIn(find({ ...env, AWS_CONTAINER_AUTHORIZATION_TOKEN: "hidden" }));
  expect(problem.code).toBe("source-forbidden");
  expect(problem.message).not.toContain("hidden");
});

test.each([
  ["role", "AssumeRole", keys("assumed")],
  ["web", "AssumeRoleWithWebIdentity", keys("by-web")],
])("profile %s gets its keys by %s", async (name, action, expected) => {
  expect(await keysOf({ ...NO_METADATA, AWS_PROFILE: name })).toMatchObject(expected);
  expect(services.asked).toEqual([action]);
  expect(
    await keysOf({ ...NO_METADATA, AWS_ACCESS_KEY_ID: "e", AWS_SECRET_ACCESS_KEY: "e" }, { profile: name }),
  ).toMatchObject(expected);
});

test("a profile's helper program is run for keys, and its command line is in no message", async () => {
  expect(await keysOf(NO_METADATA, { profile: "helper" })).toMatchObject({ accessKeyId: "helper-key" });
  const problem = await problemIn(find(NO_METADATA, { profile: "broken" }));
  expect(problem.code).toBe("source-forbidden");
  expect(problem.message).toContain("profile broken");
  expect(`${problem.stack} ${Bun.inspect(problem)}`).not.toContain("hidden");
});

test("the metadata service is asked by its second version, once for all objects, and last of all", async () => {
  process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT = services.url;
  try {
    const cache = new KeyCache(Date.now);
    expect(await keysOf({}, {}, cache)).toMatchObject(keys("instance"));
    expect(services.asked[0]).toBe("PUT /latest/api/token");
    const { length } = services.asked;
    expect(await keysOf({}, {}, cache)).toMatchObject(keys("instance"));
    expect(await keysOf({ AWS_PROFILE: "base" })).toMatchObject(ASSUMER);
    expect(services.asked).toHaveLength(length);
  } finally {
    delete process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT;
  }
});

test("where there is no metadata service, the problem names all places", async () => {
  process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT = "http://127.0.0.1:1";
  try {
    const problem = await problemIn(find({}));
    expect(problem.code).toBe("source-forbidden");
    expect(problem.message).toContain("the metadata service of this machine");
  } finally {
    delete process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT;
  }
});
