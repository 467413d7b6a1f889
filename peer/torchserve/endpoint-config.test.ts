import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endpointConfigSchema, objectRequest } from "./endpoint-config.ts";
import { endpointConfigPath, loadEndpointConfig } from "./endpoint-config-file.ts";

/** Word for word what the document has. */
const S3 = `{
  "addr": "http://127.0.0.1:65001",
  "header": {},
  "filter": [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature"
  ],
  "object_storage": {
    "type": "s3",
    "bucket_name": "your_s3_bucket_name",
    "region": "your_s3_region",
    "access_key": "your_s3_access_key",
    "secret_key": "your_s3_secret_key"
  }
}`;
const OSS = `{
  "addr": "http://127.0.0.1:65001",
  "header": {},
  "filter": ["Expires", "Signature"],
  "object_storage": {
    "type": "oss",
    "bucket_name": "your_oss_bucket_name",
    "endpoint": "your_oss_endpoint",
    "access_key_id": "your_oss_access_key_id",
    "access_key_secret": "your_oss_access_key_secret"
  }
}`;
const GCS = `{
  "addr": "http://127.0.0.1:65001",
  "header": {},
  "object_storage": {
    "type": "gcs",
    "bucket_name": "your_gcs_bucket_name",
    "project_id": "your_gcs_project_id",
    "service_account_path": "your_gcs_service_account_path"
  }
}`;
const ABS = `{
  "addr": "http://127.0.0.1:65001",
  "header": {},
  "object_storage": {
    "type": "abs",
    "account_name": "your_abs_account_name",
    "account_key": "your_abs_account_key",
    "container_name": "your_abs_container_name"
  }
}`;

const SIGNED = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"];

const requestOf = (text: string) => objectRequest(endpointConfigSchema.parse(JSON.parse(text)), "squeezenet1_1.mar");

test("the document's file for S3 names the object, its region and its keys", () => {
  expect(requestOf(S3)).toEqual({
    url: "s3://your_s3_bucket_name/squeezenet1_1.mar",
    headers: {},
    tag: "",
    application: "",
    filteredQueryParams: [...SIGNED, "X-Amz-Signature"],
    store: { region: "your_s3_region", accessKeyId: "your_s3_access_key", secretAccessKey: "your_s3_secret_key" },
  });
});

test("the document's file for OSS names the object, the endpoint with a scheme, and its keys", () => {
  expect(requestOf(OSS)).toMatchObject({
    url: "oss://your_oss_bucket_name/squeezenet1_1.mar",
    filteredQueryParams: ["Expires", "Signature"],
    store: {
      endpoint: "https://your_oss_endpoint",
      accessKeyId: "your_oss_access_key_id",
      secretAccessKey: "your_oss_access_key_secret",
    },
  });
});

test("the document's file for GCS names the object and the file of the service account", () => {
  const request = requestOf(GCS);
  expect(request.url).toBe("gs://your_gcs_bucket_name/squeezenet1_1.mar");
  expect(request.store).toEqual({ serviceAccountFile: "your_gcs_service_account_path" });
  expect(request).not.toContainKey("filteredQueryParams");
});

test("the document's file for Azure names container, account and key", () => {
  expect(requestOf(ABS)).toMatchObject({
    url: "abs://your_abs_container_name/squeezenet1_1.mar",
    store: { accountName: "your_abs_account_name", accountKey: "your_abs_account_key" },
  });
});

test.each([["Expires&Signature&ns"], [["Expires", "Signature&ns"]], [["Expires,Signature", " ns "]]])(
  "filter %j is three names",
  (filter) => {
    const config = { ...JSON.parse(ABS), filter };
    expect(requestOf(JSON.stringify(config)).filteredQueryParams).toEqual(["Expires", "Signature", "ns"]);
  },
);

test("the type may be written in any case, and keys the plugin does not know are ignored", () => {
  const config = JSON.parse(S3);
  config.object_storage.type = "S3";
  config.comment = "ours";
  expect(requestOf(JSON.stringify(config)).url).toStartWith("s3://");
});

const CWD = { env: {}, cwd: "/srv" };

async function load(text: string): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), "pantala-endpoint-"));
  try {
    const path = join(folder, "config.json");
    await writeFile(path, text, { mode: 0o600 });
    return await loadEndpointConfig(path, CWD);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("every fault of a file is named at once, and none repeats a secret", async () => {
  const broken = `{"addr": 5, "header": {"a b": "x"}, "filter": 7, "object_storage": {"type": "s3", "bucket_name": "a/b", "secret_key": ["hush"]}}`;
  const error = await load(broken).catch((thrown: unknown) => thrown as Error);
  for (const name of ["addr", "header.a b", "filter", "bucket_name", "region", "access_key", "secret_key"]) {
    expect((error as Error).message).toContain(name);
  }
  expect((error as Error).message).not.toContain("hush");
});

test.each([
  ["not json", "is not valid JSON"],
  ["[]", "must be a mapping"],
  [`{"addr": "http://127.0.0.1:65001", "object_storage": {"type": "ftp"}}`, "must be s3, oss, gcs or abs"],
  [`{"addr": "http://127.0.0.1:65001", "object_storage": "s3"}`, "must be a mapping with the type of the store"],
  [`{"addr": "http://127.0.0.1:65001"}`, "object_storage"],
])("%s is refused: %s", async (text, words) => {
  expect(load(text)).rejects.toThrow(words);
});

test("a relative path of a service account starts where the process does", async () => {
  expect(await load(GCS)).toMatchObject({
    config: { object_storage: { store: { serviceAccountFile: "/srv/your_gcs_service_account_path" } } },
  });
});

test("the file is looked for where it is named, else in the variable, else where the plugin looks", () => {
  const env = { HOME: "/home/me", DRAGONFLY_ENDPOINT_CONFIG: "/etc/other.json" };
  expect(endpointConfigPath("config.json", { env, cwd: "/srv" }, "linux")).toBe("/srv/config.json");
  expect(endpointConfigPath(undefined, { env, cwd: "/srv" }, "linux")).toBe("/etc/other.json");
  const none = { env: { HOME: "/home/me" }, cwd: "/srv" };
  expect(endpointConfigPath(undefined, none, "linux")).toBe("/etc/dragonfly-endpoint/config.json");
  expect(endpointConfigPath(undefined, none, "darwin")).toBe("/home/me/.dragonfly-endpoint/config.json");
});
