import { describe, expect, test } from "bun:test";
import { resolveSettings } from "../../schema/settings.ts";
import type { Environment } from "../source/driver.ts";
import { STORAGE_SETTINGS } from "./storage-settings.ts";
import { storeOptionsOf } from "./store-options.ts";

async function read(url: string, flags: Record<string, unknown> = {}, env: Environment = {}) {
  const resolved = resolveSettings(STORAGE_SETTINGS, { flags, env });
  if (resolved.kind === "faults") throw new Error(JSON.stringify(resolved.faults));
  const { settings } = resolved;
  const home = { HOME: "/nonexistent", ...env };
  return await storeOptionsOf({ url, settings, flags, env: home, cwd: "/home/user" });
}

const optionsOf = async (...args: Parameters<typeof read>) => (await read(...args)).options;

describe("storeOptionsOf()", () => {
  test.each([
    [
      "oss://b/k",
      { OSS_ACCESS_KEY_ID: "id", OSS_ACCESS_KEY_SECRET: "secret", OSS_REGION: "cn-hangzhou" },
      { accessKeyId: "id", secretAccessKey: "secret", region: "cn-hangzhou" },
    ],
    [
      "obs://b/k",
      { OBS_ACCESS_KEY_ID: "id", OBS_SECRET_ACCESS_KEY: "secret" },
      { accessKeyId: "id", secretAccessKey: "secret" },
    ],
    ["cos://b/k", { COS_SECRET_ID: "id", COS_SECRET_KEY: "secret" }, { accessKeyId: "id", secretAccessKey: "secret" }],
    ["gs://b/k", { GOOGLE_APPLICATION_CREDENTIALS: "sa.json" }, { serviceAccountFile: "/home/user/sa.json" }],
    ["gs://b/k", { STORAGE_EMULATOR_HOST: "127.0.0.1:4443" }, { endpoint: "http://127.0.0.1:4443", anonymous: true }],
    [
      "as://acct/c/k",
      { AZURE_STORAGE_ACCOUNT: "acct", AZURE_STORAGE_KEY: "a2V5" },
      { accountName: "acct", accountKey: "a2V5" },
    ],
    [
      "abs://c/k",
      { AZURE_STORAGE_ACCOUNT: "acct", AZURE_STORAGE_SAS_TOKEN: "sig=x" },
      { accountName: "acct", sasToken: "sig=x" },
    ],
    [
      "hf://o/r/f",
      { HF_TOKEN: "hf_x", HF_ENDPOINT: "https://mirror" },
      { accessToken: "hf_x", endpoint: "https://mirror" },
    ],
    ["https://host/f", { HF_TOKEN: "hf_x", AZURE_STORAGE_KEY: "a2V5" }, {}],
  ])("takes for %s what the store's own tools read: %j", async (url, env, options) => {
    expect(await optionsOf(url, {}, env)).toEqual(options);
  });

  test("takes nothing of another storage account from the environment", async () => {
    const env = { AZURE_STORAGE_ACCOUNT: "mine", AZURE_STORAGE_KEY: "a2V5" };
    expect(await optionsOf("as://yours/c/k", {}, env)).toEqual({});
  });

  test("takes rights from the flags or from the environment, and never some of each", async () => {
    const env = { AZURE_STORAGE_ACCOUNT: "acct", AZURE_STORAGE_KEY: "a2V5" };
    expect(await optionsOf("as://acct/c/k", { storageSasToken: "sig=x" }, env)).toEqual({
      accountName: "acct",
      sasToken: "sig=x",
    });
    expect(await optionsOf("as://acct/c/k", { storageAnonymous: true }, env)).toEqual({
      accountName: "acct",
      anonymous: true,
    });
  });

  test("takes the account of abs:// from the flags that dfget has for it", async () => {
    const flags = { storageAccessKeyId: "acct", storageAccessKeySecret: "a2V5" };
    expect(await optionsOf("abs://c/k", flags)).toEqual({ accountName: "acct", accountKey: "a2V5" });
  });

  test.each([
    ["hf://o/r/f", { storageRegion: "eu" }, "--storage-region", "means nothing for hf:// URLs"],
    ["https://host/f", { storageAnonymous: true }, "--storage-anonymous", "means nothing for https:// URLs"],
    ["oss://b/k", { storageAccessKeyId: "id" }, "--storage-access-key-secret", "is needed"],
    ["gs://b/k", { storageAccessToken: "t", storageAnonymous: true }, "--storage-anonymous", "cannot be together"],
  ])("finds for %s with %j a fault in %s", async (url, flags, origin, problem) => {
    const { faults } = await read(url, flags);
    expect(faults.map((fault) => fault.origin)).toEqual([origin]);
    expect(faults[0]?.problem).toContain(problem);
  });

  test("finds no fault in variables of other stores", async () => {
    const env = { PANTALA_STORAGE_REGION: "eu", PANTALA_STORAGE_ACCOUNT_NAME: "acct" };
    expect(await read("hf://o/r/f", {}, env)).toEqual({ options: {}, faults: [] });
  });
});
