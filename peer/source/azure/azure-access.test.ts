import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import { problemIn } from "../../../tests/fixtures/opened-source.ts";
import { tempFolder } from "../../../tests/fixtures/temp-folder.ts";
import type { Environment } from "../driver.ts";
import { defaultSourceIo } from "../source-io.ts";
import type { StoreRule } from "../store-rule.ts";
import { TokenCache } from "../token-cache.ts";
import { findAzureAccess } from "./azure-access.ts";
import { parseAzureUrl } from "./azure-address.ts";

let authority: Bun.Server<undefined>;
const asked: URLSearchParams[] = [];

beforeAll(() => {
  authority = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      if (request.method === "GET") {
        const { searchParams } = new URL(request.url);
        if (request.headers.get("metadata") !== "true") return new Response("", { status: 400 });
        return Response.json({ access_token: `of-the-machine ${searchParams.get("client_id")}`, expires_in: "86399" });
      }
      asked.push(new URLSearchParams(await request.text()));
      return Response.json({ access_token: `token-${asked.length}`, expires_in: 3600 });
    },
  });
});

afterAll(() => authority.stop(true));

const KEY = Buffer.from("a key").toString("base64");

function find(
  url: string,
  { env = {}, rules = [], store = {} }: { env?: Environment; rules?: StoreRule[]; store?: StoreOptions } = {},
) {
  const io = defaultSourceIo();
  const components = { env, rules: () => rules, io, tokens: new TokenCache(io.nowMs) };
  return findAzureAccess(store, parseAzureUrl(url), components);
}

test("what the request says comes before the configuration, and that before the environment", async () => {
  const env = { AZURE_STORAGE_ACCOUNT: "acct", AZURE_STORAGE_KEY: KEY };
  const rules = [{ prefix: "as://acct/cont/", sasToken: "?sig=rule" }];
  const url = "as://acct/cont/k";
  expect((await find(url, { env })).credential).toEqual({ kind: "key", key: KEY });
  expect((await find(url, { env, rules })).credential).toEqual({ kind: "sas", query: "sig=rule" });
  const store = { anonymous: true };
  expect((await find(url, { env, rules, store })).credential).toEqual({ kind: "anonymous" });
});

test("variables of one account are not used for another", async () => {
  const env = { AZURE_STORAGE_ACCOUNT: "mine", AZURE_STORAGE_KEY: KEY };
  expect((await problemIn(find("as://yours/cont/k", { env }))).code).toBe("source-forbidden");
  expect(await find("as://MINE/cont/k", { env })).toMatchObject({ account: "mine", credential: { kind: "key" } });
});

test("a connection string says account, endpoint and key", async () => {
  const text = `DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=${KEY};EndpointSuffix=core.chinacloudapi.cn`;
  const access = await find("abs://cont/k", { env: { AZURE_STORAGE_CONNECTION_STRING: text } });
  expect(access.base.href).toBe("https://acct.blob.core.chinacloudapi.cn/");
  expect(access.credential).toEqual({ kind: "key", key: KEY });
});

test("the account that the configuration names stands for the one in the URL, as Triton has it", async () => {
  const rules = [{ prefix: "as://Account-002/Container", accountName: "real", accountKey: KEY }];
  const { account, base } = await find("as://Account-002/Container/model/1/m.onnx", { rules });
  expect([account, base.href]).toEqual(["real", "https://real.blob.core.windows.net/"]);
});

test("credentials of this host go to no endpoint that a request chooses", async () => {
  const env = { AZURE_STORAGE_ACCOUNT: "acct", AZURE_STORAGE_SAS_TOKEN: "sig=hidden" };
  const rules = [{ prefix: "as://acct/", accessToken: "hidden" }];
  const store = { endpoint: "http://evil.example" };
  const problem = await problemIn(find("as://acct/cont/k", { env, rules, store }));
  expect(problem.code).toBe("source-forbidden");
  const usual = { endpoint: "https://acct.blob.core.windows.net/" };
  expect((await find("as://acct/cont/k", { env, store: usual })).credential.kind).toBe("sas");
});

test("a workload is known by its federated token, which is exchanged once", async () => {
  await using folder = await tempFolder();
  const file = join(folder.path, "token");
  await writeFile(file, "federated\n");
  const env = {
    AZURE_TENANT_ID: "tenant",
    AZURE_CLIENT_ID: "client",
    AZURE_FEDERATED_TOKEN_FILE: file,
    AZURE_AUTHORITY_HOST: authority.url.href,
  };
  asked.length = 0;
  const { credential } = await find("as://acct/cont/k", { env });
  if (credential.kind !== "token") throw new Error(`It is a ${credential.kind}`);
  expect([await credential.token(), await credential.token()]).toEqual(["token-1", "token-1"]);
  expect(asked.map((form) => Object.fromEntries(form))).toEqual([
    {
      grant_type: "client_credentials",
      client_id: "client",
      scope: "https://storage.azure.com/.default",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: "federated",
    },
  ]);
});

test("the identity of the machine is asked for when AZURE_STORAGE_AUTH_TYPE says so", async () => {
  const service = { AZURE_POD_IDENTITY_AUTHORITY_HOST: authority.url.origin };
  expect((await problemIn(find("as://acct/cont/k", { env: service }))).code).toBe("source-forbidden");
  const env = { ...service, AZURE_STORAGE_AUTH_TYPE: "managed_identity", AZURE_STORAGE_CLIENT_ID: "several" };
  const { credential } = await find("as://acct/cont/k", { env });
  expect(credential.kind === "token" && (await credential.token())).toBe("of-the-machine several");
});

test("a secret of an application that Entra refuses is told, and not repeated", async () => {
  const env = {
    AZURE_TENANT_ID: "tenant",
    AZURE_CLIENT_ID: "client",
    AZURE_CLIENT_SECRET: "hidden",
    AZURE_AUTHORITY_HOST: "http://127.0.0.1:1",
  };
  const problem = await problemIn(find("as://acct/cont/k", { env }));
  expect(problem).toMatchObject({ code: "source-unreachable", message: expect.stringContaining("Microsoft Entra") });
  expect(Bun.inspect(problem)).not.toContain("hidden");
});

test("without credentials the places that were looked at are told, and an option of other stores is refused", async () => {
  const nothing = await problemIn(find("as://acct/cont/k"));
  expect(nothing.message).toContain("AZURE_STORAGE_KEY");
  const problem = await problemIn(find("as://acct/cont/k", { store: { region: "eu" } }));
  expect(problem).toMatchObject({ code: "bad-request", message: expect.stringContaining("region means nothing") });
  expect((await problemIn(find("abs://cont/k"))).message).toContain("which storage account");
});
