import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import { problemIn } from "../../../tests/fixtures/opened-source.ts";
import { tempFolder } from "../../../tests/fixtures/temp-folder.ts";
import { parseObjectUrl } from "../bucket/bucket-address.ts";
import type { Environment } from "../driver.ts";
import { defaultSourceIo } from "../source-io.ts";
import type { StoreRule } from "../store-rule.ts";
import { TokenCache } from "../token-cache.ts";
import { findGcsAccess } from "./gcs-access.ts";
import { gcsObjectUrl, parseGcsUrl } from "./gcs-address.ts";

let metadata: Bun.Server<undefined>;

beforeAll(() => {
  metadata = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url, headers }) =>
      headers.get("metadata-flavor") === "Google" && url.endsWith("/service-accounts/default/token")
        ? Response.json({ access_token: "of-the-machine", expires_in: 3599, token_type: "Bearer" })
        : new Response("", { status: 403 }),
  });
});

afterAll(() => metadata.stop(true));

const NOBODY = { HOME: "/nonexistent", NO_GCE_CHECK: "true" };

async function credentialOf({
  env = {},
  rules = [],
  store = {},
}: {
  env?: Environment;
  rules?: StoreRule[];
  store?: StoreOptions;
}) {
  const io = defaultSourceIo();
  const components = { env: { ...NOBODY, ...env }, rules: () => rules, io, tokens: new TokenCache(io.nowMs) };
  const { credential } = await findGcsAccess(store, parseObjectUrl("gs://bucket/key"), components);
  return credential.kind === "token" ? await credential.token() : credential.kind;
}

test("what the request says comes before the configuration, and that before the environment", async () => {
  const env = { GOOGLE_OAUTH_ACCESS_TOKEN: "of-the-environment" };
  const rules = [{ prefix: "gs://bucket", accessToken: "of-the-rule" }];
  expect(await credentialOf({ env })).toBe("of-the-environment");
  expect(await credentialOf({ env, rules })).toBe("of-the-rule");
  expect(await credentialOf({ env, rules, store: { anonymous: true } })).toBe("anonymous");
});

test("the machine's own account is asked for last", async () => {
  const env = { NO_GCE_CHECK: "", GCE_METADATA_HOST: metadata.url.host };
  expect(await credentialOf({ env })).toBe("of-the-machine");
});

test("credentials of this host go to no endpoint that a request chooses", async () => {
  const env = { GOOGLE_OAUTH_ACCESS_TOKEN: "hidden", NO_GCE_CHECK: "", GCE_METADATA_HOST: metadata.url.host };
  const rules = [{ prefix: "gs://bucket", accessToken: "hidden" }];
  const problem = await problemIn(credentialOf({ env, rules, store: { endpoint: "http://evil.example" } }));
  expect(problem.code).toBe("source-forbidden");
});

test("without credentials the places that were looked at are told", async () => {
  const problem = await problemIn(credentialOf({}));
  expect(problem.code).toBe("source-forbidden");
  for (const place of ["GOOGLE_APPLICATION_CREDENTIALS", "metadata service", "--storage-anonymous"]) {
    expect(problem.message).toContain(place);
  }
  expect((await problemIn(credentialOf({ store: { accessKeyId: "id" } }))).message).toContain("but not the secret");
  expect((await problemIn(credentialOf({ store: { accountKey: "k" } }))).message).toContain("accountKey means nothing");
});

test("a file that is no service account is told by its name, and nothing in it", async () => {
  await using folder = await tempFolder();
  const file = join(folder.path, "odd.json");
  await writeFile(file, JSON.stringify({ type: "external_account", secret: "hidden" }));
  const problem = await problemIn(credentialOf({ store: { serviceAccountFile: file } }));
  expect(problem.message).toContain("odd.json is of neither a service account nor a person");
  expect(problem.message).not.toContain("hidden");
  await writeFile(file, JSON.stringify({ type: "service_account", client_email: "e", private_key: "hidden" }));
  expect((await problemIn(credentialOf({ store: { serviceAccountFile: file } }))).message).toContain("is broken");
});

test("a generation at the end of the URL is the id of a version", () => {
  expect(parseGcsUrl("gs://bucket/a?generation=12")).toMatchObject({ key: "a", versionId: "12" });
  expect(parseGcsUrl("gs://bucket/a?generation=x")).toMatchObject({ key: "a?generation=x" });
  expect(() => gcsObjectUrl("bucket", "a?generation=12")).toThrow("for a generation");
});
