import { expect, test } from "bun:test";
import { isProblemError } from "../../../schema/problem.ts";
import {
  accountOfEndpoint,
  azureBase,
  azureBlobUrl,
  azureDisplayUrl,
  azureLocation,
  parseAzureUrl,
} from "./azure-address.ts";

test.each([
  ["as://acct/cont/a/b", "acct", "cont", "a/b"],
  ["AS://Account-002/Container", "account-002", "Container", ""],
  ["as://acct/cont/", "acct", "cont", ""],
  ["abs://cont/a b?c#d", undefined, "cont", "a b?c#d"],
  ["abs://cont", undefined, "cont", ""],
  ["as://acct.blob.core.windows.net/cont/k", "acct", "cont", "k"],
  ["as://acct/$root/k", "acct", "$root", "k"],
])("parseAzureUrl(%j) takes the key literally", (url, account, container, key) => {
  expect(parseAzureUrl(url)).toMatchObject({ account, container, key, sasToken: undefined });
});

test("parseAzureUrl() takes a signature off the key, and no other question mark", () => {
  const sas = "sv=2021-12-02&sp=r&sig=a%2Fb";
  expect(parseAzureUrl(`as://acct/cont/who?what?${sas}`)).toMatchObject({ key: "who?what", sasToken: sas });
  expect(parseAzureUrl(`as://acct/cont?${sas}`)).toMatchObject({ container: "cont", key: "", sasToken: sas });
  expect(azureDisplayUrl(parseAzureUrl(`as://acct/cont/k?${sas}`))).toBe("as://acct/cont/k");
});

test.each([
  ["as://", "no storage account"],
  ["as://acct", "no storage account"],
  ["as://user@acct/cont/k", "no storage account"],
  ["as://acct/UPPER_case/k", "no container"],
  ["abs:///k", "no container"],
  ["as://acct/cont/a/../b", ". or .."],
  ["abs://cont/half-\ud800", "surrogate"],
])("parseAzureUrl(%j) is refused: %s", (url, words) => {
  try {
    parseAzureUrl(url);
    throw new Error("it was taken");
  } catch (error) {
    if (!isProblemError(error)) throw error;
    expect([error.code, error.message]).toEqual(["bad-request", expect.stringContaining(words)]);
  }
});

test.each([
  [undefined, "https://acct.blob.core.windows.net/cont/a%20b"],
  ["https://acct.blob.core.chinacloudapi.cn/", "https://acct.blob.core.chinacloudapi.cn/cont/a%20b"],
  ["http://127.0.0.1:10000", "http://127.0.0.1:10000/acct/cont/a%20b"],
  ["http://localhost:10000/acct", "http://localhost:10000/acct/cont/a%20b"],
])("with the endpoint %s a blob is at %s", (endpoint, url) => {
  const base = azureBase(endpoint === undefined ? undefined : new URL(endpoint), "acct");
  const address = parseAzureUrl("as://acct/cont/a b");
  expect(azureBlobUrl(address, base).href).toBe(url);
  expect(azureLocation(address, base)).toBe(url.replace(/^https?/, "as"));
  expect(accountOfEndpoint(base)).toBe("acct");
});
