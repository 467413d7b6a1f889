import { expect, test } from "bun:test";
import { FaultySource } from "../../tests/fixtures/faulty-source.ts";
import { problemIn, sourceOpener, statOf } from "../../tests/fixtures/opened-source.ts";
import { checkPullAddress } from "./address-guard.ts";

const named = (...addresses: string[]) => ({ allow: [], resolve: async () => addresses });

test.each([
  "http://127.0.0.1/",
  "http://127.8.9.1:9000/x",
  "http://2130706433/",
  "http://0x7f.1/",
  "http://0.0.0.0/",
  "http://169.254.169.254/latest/meta-data/",
  "http://100.100.100.200/",
  "http://224.0.0.1/",
  "http://[::1]/",
  "http://[::]/",
  "http://[fe80::1]/",
  "http://[ff02::1]/",
  "http://[fd00:ec2::254]/",
  "http://[::ffff:127.0.0.1]/",
  "http://[::ffff:169.254.169.254]/",
  "http://[::127.0.0.1]/",
  "http://[64:ff9b::a9fe:a9fe]/",
  "http://[64:ff9b::127.0.0.1]/",
  "http://[64:ff9b::]/",
  "http://[64:ff9b:1::a9fe:a9fe]/",
  "http://[64:ff9b:1:ffff::1]/",
  "http://[2002:7f00:1::]/",
  "http://[2001::1]/",
  "http://[::ffff:0:127.0.0.1]/",
])("checkPullAddress() refuses %s", async (url) => {
  const problem = await problemIn(checkPullAddress(new URL(url), { allow: [] }));
  expect(problem.code).toBe("forbidden");
  expect(problem.message).toContain("--pull-allow");
});

test.each([
  "http://10.0.0.7/",
  "https://192.168.1.1/",
  "http://8.8.8.8/",
  "http://[2606:4700::1]/",
  "http://[64:ff9b::8.8.8.8]/",
  "http://[fd12::1]/",
])("checkPullAddress() lets %s pass", async (url) => {
  await checkPullAddress(new URL(url), { allow: [] });
});

test("checkPullAddress() refuses a name when any of its addresses is guarded", async () => {
  const url = new URL("https://models.example/x");
  await checkPullAddress(url, named("10.0.0.1", "2606:4700::1"));
  const problem = await problemIn(checkPullAddress(url, named("10.0.0.1", "127.0.0.1")));
  expect(problem).toMatchObject({ code: "forbidden", detail: { hostname: "models.example", address: "127.0.0.1" } });
  expect((await problemIn(checkPullAddress(url, named("::ffff:127.0.0.1")))).code).toBe("forbidden");
});

test("checkPullAddress() asks the system for the addresses of localhost", async () => {
  expect((await problemIn(checkPullAddress(new URL("http://localhost:1/"), { allow: [] }))).code).toBe("forbidden");
});

test("checkPullAddress() says that a name is unknown", async () => {
  const resolve = () => Promise.reject(new Error("ENOTFOUND"));
  const problem = await problemIn(checkPullAddress(new URL("http://nowhere.invalid/"), { allow: [], resolve }));
  expect(problem.code).toBe("source-unreachable");
});

test.each([
  ["http://127.0.0.1:9000/", "127.0.0.1"],
  ["http://127.0.0.1:9000/", "127.0.0.0/8"],
  ["http://[::1]/", "::1"],
  ["http://[::1]/", "::/64"],
  ["http://localhost/", "LOCALHOST"],
  ["http://localhost./", "localhost"],
])("checkPullAddress() lets %s pass when %s is allowed", async (url, entry) => {
  await checkPullAddress(new URL(url), { allow: ["other.example", "10.0.0.0/8", entry] });
});

test("checkPullAddress() allows a network without allowing its neighbours", async () => {
  const policy = { allow: ["127.0.0.1/32"] };
  await checkPullAddress(new URL("http://127.0.0.1/"), policy);
  expect((await problemIn(checkPullAddress(new URL("http://127.0.0.2/"), policy))).code).toBe("forbidden");
});

test("a guard sees every hop of a redirect before it is connected to", async () => {
  await using inner = await FaultySource.start();
  await using outer = await FaultySource.start();
  const secret = inner.serve("/secret", { content: new Uint8Array(10) });
  const url = outer.serve("/file", { redirect: { status: 302, location: secret } });
  const innerPort = new URL(secret).port;
  const seen: string[] = [];
  const guard = async (hop: URL) => {
    seen.push(hop.href);
    return await checkPullAddress(hop, { allow: hop.port === innerPort ? [] : ["127.0.0.1"] });
  };
  const source = await sourceOpener().open(url, {}, { guard });
  expect((await problemIn(statOf(source))).code).toBe("forbidden");
  expect(seen).toEqual([url, secret]);
  expect(inner.requests("/secret")).toEqual([]);
});

test("a guard sees the address of an S3 endpoint", async () => {
  await using store = await FaultySource.start();
  const guard = (url: URL) => checkPullAddress(url, { allow: [] });
  const s3 = { endpoint: store.url, accessKeyId: "key", secretAccessKey: "secret" };
  const source = await sourceOpener().open("s3://bucket/key", { store: s3 }, { guard });
  expect((await problemIn(statOf(source))).code).toBe("forbidden");
});
