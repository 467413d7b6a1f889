import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cloudCredentialSchema, credentialFor } from "./cloud-credential.ts";
import { loadTritonFiles } from "./triton-files.ts";

/** Both word for word what the document has. */
const DRAGONFLY_CONFIG = `{
  "proxy": "http://127.0.0.1:65001",
	"header": {
	},
	"filter": [
  	"X-Amz-Algorithm",
  	"X-Amz-Credential&X-Amz-Date",
  	"X-Amz-Expires",
  	"X-Amz-SignedHeaders",
  	"X-Amz-Signature"
	]
}`;
const CLOUD_CREDENTIAL = `{
  "gs": {
    "": "PATH_TO_GOOGLE_APPLICATION_CREDENTIALS",
    "gs://gcs-bucket-002": "PATH_TO_GOOGLE_APPLICATION_CREDENTIALS_2"
  },
  "s3": {
    "": {
      "secret_key": "AWS_SECRET_ACCESS_KEY",
      "key_id": "AWS_ACCESS_KEY_ID",
      "region": "AWS_DEFAULT_REGION",
      "session_token": "",
      "profile": ""
    },
    "s3://s3-bucket-002": {
      "secret_key": "AWS_SECRET_ACCESS_KEY_2",
      "key_id": "AWS_ACCESS_KEY_ID_2",
      "region": "AWS_DEFAULT_REGION_2",
      "session_token": "AWS_SESSION_TOKEN_2",
      "profile": "AWS_PROFILE_2"
    }
  },
  "as": {
    "": {
      "account_str": "AZURE_STORAGE_ACCOUNT",
      "account_key": "AZURE_STORAGE_KEY"
    },
    "as://Account-002/Container": {
      "account_str": "",
      "account_key": ""
    }
  }
}`;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pantala-triton-"));
  await writeFile(join(folder, "dragonfly_config.json"), DRAGONFLY_CONFIG);
  await writeFile(join(folder, "cloud_credential.json"), CLOUD_CREDENTIAL, { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true }));

const given = { dragonflyConfig: "dragonfly_config.json", cloudCredential: "cloud_credential.json" };

test("both files of the document are read, and the parts of a filter parted", async () => {
  const files = await loadTritonFiles(given, { env: {}, cwd: folder });
  expect(files.faults).toEqual([]);
  expect(files.warnings).toEqual([]);
  expect(files.config).toEqual({
    proxy: "http://127.0.0.1:65001",
    header: {},
    filter: [
      "X-Amz-Algorithm",
      "X-Amz-Credential",
      "X-Amz-Date",
      "X-Amz-Expires",
      "X-Amz-SignedHeaders",
      "X-Amz-Signature",
    ],
  });
  expect(files.credential.gs).toEqual({
    "": { serviceAccountFile: join(folder, "PATH_TO_GOOGLE_APPLICATION_CREDENTIALS") },
    "gs://gcs-bucket-002": { serviceAccountFile: join(folder, "PATH_TO_GOOGLE_APPLICATION_CREDENTIALS_2") },
  });
});

test("the variables of the agent name the files", async () => {
  const env = {
    TRITON_DRAGONFLY_CONFIG_PATH: join(folder, "dragonfly_config.json"),
    TRITON_CLOUD_CREDENTIAL_PATH: join(folder, "absent.json"),
  };
  const none = { dragonflyConfig: undefined, cloudCredential: undefined };
  const files = await loadTritonFiles(none, { env, cwd: "/" });
  expect(files.config.proxy).toBe("http://127.0.0.1:65001");
  expect(files.faults.map(({ origin }) => origin)).toEqual([join(folder, "absent.json")]);
});

test("faults of both files are told at once, and a file that others can read is warned of", async () => {
  await writeFile(join(folder, "bad-config.json"), '{"proxy": "nowhere", "header": 5}');
  await writeFile(join(folder, "bad-credential.json"), '{"s3": {"": {"key_id": "hush"}}}');
  const bad = { dragonflyConfig: "bad-config.json", cloudCredential: "bad-credential.json" };
  const { faults } = await loadTritonFiles(bad, { env: {}, cwd: folder });
  const text = JSON.stringify(faults);
  for (const words of ["proxy in ", "header in ", "s3. in ", "belong together"]) expect(text).toContain(words);
  expect(text).not.toContain("hush");

  await writeFile(join(folder, "open.json"), CLOUD_CREDENTIAL, { mode: 0o644 });
  const open = { ...given, cloudCredential: "open.json" };
  expect((await loadTritonFiles(open, { env: {}, cwd: folder })).warnings[0]).toContain("chmod 600");
});

const FILE = cloudCredentialSchema.parse(JSON.parse(CLOUD_CREDENTIAL));

test.each([
  [
    "s3://s3-bucket-002/models/m",
    {
      region: "AWS_DEFAULT_REGION_2",
      accessKeyId: "AWS_ACCESS_KEY_ID_2",
      secretAccessKey: "AWS_SECRET_ACCESS_KEY_2",
      sessionToken: "AWS_SESSION_TOKEN_2",
    },
  ],
  [
    "s3://s3-bucket-0023/models/m",
    { region: "AWS_DEFAULT_REGION", accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
  ],
  ["gs://gcs-bucket-002/m", { serviceAccountFile: "PATH_TO_GOOGLE_APPLICATION_CREDENTIALS_2" }],
  ["as://Account-002/Container/m", {}],
  ["as://other/Container/m", { accountName: "AZURE_STORAGE_ACCOUNT", accountKey: "AZURE_STORAGE_KEY" }],
  ["oss://bucket/m", undefined],
])("%s is read with the entry of the longest beginning that fits", (location, options) => {
  expect(credentialFor(location, FILE)).toEqual(options);
});

test("a location that no entry fits is told, and a profile counts where there are no keys", () => {
  const file = cloudCredentialSchema.parse({ s3: { "s3://a": { profile: "p", key_id: "", secret_key: "" } } });
  expect(credentialFor("s3://a/m", file)).toEqual({ profile: "p" });
  expect(() => credentialFor("s3://b/m", file)).toThrow("no entry for s3://b/m");
});
