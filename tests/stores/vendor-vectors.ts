/** `bun tests/stores/vendor-vectors.ts`: makes the signatures that ours are compared with, by the SDKs of the vendors, and
 *  shows that these SDKs get along with our verifying stores. The SDKs are installed for the run alone: they bring 146
 *  packages, some long without upkeep. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { createRequire } from "node:module";
import type { LookupFunction } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { MemoryBuckets } from "../fixtures/bucket-contents.ts";
import { startCosStore } from "../fixtures/cos-store.ts";
import { fetchAs } from "../fixtures/named-server.ts";
import { startObsStore } from "../fixtures/obs-store.ts";
import { startOssStore } from "../fixtures/oss-store.ts";
import { tempFolder } from "../fixtures/temp-folder.ts";
import type { SignatureVector, VectorFile } from "../fixtures/vendor-vectors.ts";

const VERSIONS = { "ali-oss": "6.23.0", "esdk-obs-nodejs": "3.26.8", "cos-nodejs-sdk-v5": "3.0.0" };
const KEYS = { accessKeyId: "an-access-key", secretAccessKey: "a/secret+key" };
const NOW_MS = Date.UTC(2026, 10, 21, 12, 34, 56);
const OBJECT_KEYS = ["plain.bin", "a b+c=d%25é~.bin", "what?who#where&k=v;x,y@z$:", "ünïcödé/日本語/🙂", "deep//er/"];
const CONTENT = new TextEncoder().encode("content");

type Query = readonly (readonly [string, string])[];
const CASES: readonly { readonly key: string; readonly query: Query; readonly sessionToken?: string }[] = [
  ...OBJECT_KEYS.map((key) => ({ key, query: [] })),
  { key: "plain.bin", query: [["versionId", "CAEQ/+=="]] },
  { key: "plain.bin", query: [], sessionToken: "a/token==" },
  {
    key: "",
    query: [
      ["encoding-type", "url"],
      ["max-keys", "1000"],
      ["prefix", "a b/é+"],
      ["delimiter", "/"],
    ],
  },
];

/** The few of the SDKs' functions that are used here. */
interface OssSignUtils {
  authorizationV4(...args: unknown[]): string;
  buildCanonicalString(method: string, resource: string, request: object): string;
  authorization(id: string, secret: string, text: string): string;
}
interface OssClient {
  get(key: string): Promise<{ readonly content: Uint8Array }>;
  listV2(query: object): Promise<{ readonly objects: readonly { readonly name: string }[] }>;
  useBucket(name: string): void;
  signatureUrl(key: string, options: object): string;
  signatureUrlV4(method: string, expires: number, request: object, key: string): Promise<string>;
}
interface ObsClient {
  readonly util: { doAuth(options: object, name: string, context: object): void; close?(): void };
  getObject(query: object): Promise<{ readonly CommonMsg: { readonly Status: number } }>;
  listObjects(query: object): Promise<{
    readonly InterfaceResult?: { readonly Contents: readonly { readonly Key: string }[] };
  }>;
  createSignedUrlSync(query: object): { readonly SignedUrl: string };
}
interface CosClient {
  getObject(query: object): Promise<{ readonly Body: Uint8Array }>;
  getBucket(query: object): Promise<{ readonly Contents: readonly { readonly Key: string }[] }>;
  getObjectUrl(query: object, done: (error: unknown, data: { readonly Url: string }) => void): void;
}

await using folder = await tempFolder();
await writeFile(join(folder.path, "package.json"), '{"private": true}');
const packages = Object.entries(VERSIONS).map(([name, version]) => `${name}@${version}`);
await promisify(execFile)("bun", ["add", "--exact", ...packages], { cwd: folder.path });
const load = createRequire(join(folder.path, "package.json"));

await makeOss();
await makeObs();
await makeCos();
process.exit(0);

async function makeOss(): Promise<void> {
  const utils = load("ali-oss/lib/common/signUtils.js") as OssSignUtils;
  const vectors = CASES.flatMap(({ key, query, sessionToken }): SignatureVector[] => {
    const queries = Object.fromEntries(query);
    const token = sessionToken === undefined ? {} : { "x-oss-security-token": sessionToken };
    const iso = new Date(NOW_MS).toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
    const headers4 = { "x-oss-date": iso, "x-oss-content-sha256": "UNSIGNED-PAYLOAD", ...token };
    const version4 = utils.authorizationV4(
      KEYS.accessKeyId,
      KEYS.secretAccessKey,
      "cn-hangzhou",
      "GET",
      { headers: headers4, queries },
      "bucket",
      key,
      [],
    );
    const headers1 = { "x-oss-date": new Date(NOW_MS).toUTCString(), ...token };
    const parameters = Object.fromEntries(query.filter(([name]) => name === "versionId"));
    const text = utils.buildCanonicalString("GET", `/bucket/${key}`, { headers: headers1, parameters });
    const version1 = utils.authorization(KEYS.accessKeyId, KEYS.secretAccessKey, text);
    const asked = { bucket: "bucket", key, query, ...(sessionToken === undefined ? {} : { sessionToken }) };
    return [
      { ...asked, region: "cn-hangzhou", authorization: version4 },
      { ...asked, authorization: version1 },
    ];
  });
  await using store = await startOssStore({ ...KEYS, contents: contentsIn("bucket"), region: "cn-hangzhou" });
  const Client = load("ali-oss") as new (options: object) => OssClient;
  const signedUrls: [string, string][] = [];
  for (const authorizationV4 of [true, false]) {
    const options = {
      accessKeyId: KEYS.accessKeyId,
      accessKeySecret: KEYS.secretAccessKey,
      region: "oss-cn-hangzhou",
      bucket: "bucket",
      authorizationV4,
    };
    const client = new Client({ ...options, endpoint: store.url });
    for (const key of OBJECT_KEYS) expectContent(await client.get(key).then(({ content }) => content));
    expectKeys((await client.listV2({ "max-keys": 100 })).objects.map(({ name }) => name));
    // It signs no URL at an address.
    const named = new Client(options);
    for (const key of OBJECT_KEYS) {
      const url = authorizationV4
        ? await named.signatureUrlV4("GET", 60, {}, key)
        : named.signatureUrl(key, { expires: 60 });
      await expectSigned(url, "aliyuncs.com", store.url);
      signedUrls.push([key, url]);
    }
  }
  await save("oss", "ali-oss", vectors, signedUrls);
}

async function makeObs(): Promise<void> {
  const Client = load("esdk-obs-nodejs") as new (options: object) => ObsClient;
  await using store = await startObsStore({ ...KEYS, contents: contentsIn("bucket") });
  const client = new Client({
    access_key_id: KEYS.accessKeyId,
    secret_access_key: KEYS.secretAccessKey,
    // At an address it would sign as AWS does, and it would ask first whether it may sign in its own way.
    server: store.url.replace("127.0.0.1", "obs.localhost"),
    signature: "obs",
    is_signature_negotiation: false,
    http_agent: new Agent({ lookup: atLoopback }),
  });
  // It takes the keys a turn later.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const context = { headerPrefix: "x-obs-", headerMetaPrefix: "x-obs-meta-", authPrefix: "OBS", stsToken: "" };
  const vectors = CASES.map(({ key, query, sessionToken }): SignatureVector => {
    const token = sessionToken === undefined ? {} : { "x-obs-security-token": sessionToken };
    const options = {
      method: "GET",
      uri: `/bucket/${encodeURIComponent(key).replaceAll("%2F", "/")}`,
      urlPath: `?${query.map((pair) => pair.map(encodeURIComponent).join("=")).join("&")}`,
      headers: { "x-obs-date": new Date(NOW_MS).toUTCString(), ...token } as Record<string, string>,
    };
    client.util.doAuth(options, "GetObject", context);
    const { Authorization: authorization = "" } = options.headers;
    return { bucket: "bucket", key, query, ...(sessionToken === undefined ? {} : { sessionToken }), authorization };
  });
  const signedUrls: [string, string][] = [];
  for (const Key of OBJECT_KEYS) {
    const { CommonMsg } = await client.getObject({ Bucket: "bucket", Key });
    if (CommonMsg.Status !== 200) throw new Error(`OBS: ${Key}: ${CommonMsg.Status}`);
    const { SignedUrl } = client.createSignedUrlSync({ Method: "GET", Bucket: "bucket", Key, Expires: 60 });
    expectContent(await bytesAt(SignedUrl));
    signedUrls.push([Key, SignedUrl]);
  }
  const { InterfaceResult } = await client.listObjects({ Bucket: "bucket" });
  expectKeys((InterfaceResult?.Contents ?? []).map(({ Key }) => Key));
  await save("obs", "esdk-obs-nodejs", vectors, signedUrls);
}

async function makeCos(): Promise<void> {
  const { getAuth } = load("cos-nodejs-sdk-v5/sdk/util.js") as { getAuth(options: object): string };
  const bucket = "bucket-1250000000";
  const vectors = CASES.map(({ key, query, sessionToken }): SignatureVector => {
    const nowS = NOW_MS / 1000;
    const authorization = getAuth({
      SecretId: KEYS.accessKeyId,
      SecretKey: KEYS.secretAccessKey,
      KeyTime: `${nowS - 60};${nowS + 900}`,
      Method: "GET",
      Pathname: `/${key}`,
      UseRawKey: true,
      Query: Object.fromEntries(query),
      Headers: {
        host: `${bucket}.cos.ap-guangzhou.myqcloud.com`,
        ...(sessionToken === undefined ? {} : { "x-cos-security-token": sessionToken }),
      },
    });
    return { bucket, key, query, ...(sessionToken === undefined ? {} : { sessionToken }), authorization };
  });
  const signedUrls: [string, string][] = [];
  await using store = await startCosStore({ ...KEYS, contents: contentsIn(bucket) });
  const Client = load("cos-nodejs-sdk-v5") as new (options: object) => CosClient;
  const client = new Client({
    SecretId: KEYS.accessKeyId,
    SecretKey: KEYS.secretAccessKey,
    Protocol: "http:",
    Proxy: store.url,
  });
  const place = { Bucket: bucket, Region: "ap-guangzhou" };
  for (const Key of OBJECT_KEYS) {
    expectContent(await client.getObject({ ...place, Key }).then(({ Body }) => Body));
    const url = await new Promise<string>((resolve, reject) => {
      client.getObjectUrl({ ...place, Key, Sign: true, Expires: 60 }, (error, data) =>
        error ? reject(error) : resolve(data.Url),
      );
    });
    await expectSigned(url, "myqcloud.com", store.url);
    signedUrls.push([Key, url]);
  }
  expectKeys((await client.getBucket(place)).Contents.map(({ Key }) => Key));
  await save("cos", "cos-nodejs-sdk-v5", vectors, signedUrls);
}

/** A resolver for which every name is this machine's. */
function atLoopback(...[, options, done]: Parameters<LookupFunction>): void {
  if (options.all) done(null, [{ address: "127.0.0.1", family: 4 }]);
  else done(null, "127.0.0.1", 4);
}

function contentsIn(bucket: string): MemoryBuckets {
  const contents = new MemoryBuckets();
  for (const key of OBJECT_KEYS) contents.put(bucket, key, CONTENT);
  return contents;
}

async function save(
  scheme: string,
  sdk: keyof typeof VERSIONS,
  vectors: readonly SignatureVector[],
  signedUrls: VectorFile["signedUrls"],
): Promise<void> {
  const file: VectorFile = { sdk: `${sdk} ${VERSIONS[sdk]}`, ...KEYS, nowMs: NOW_MS, vectors, signedUrls };
  await writeFile(
    join(import.meta.dirname, `../fixtures/${scheme}-vectors.json`),
    `${JSON.stringify(file, null, 2)}\n`,
  );
  console.log(`${scheme}: ${vectors.length} signatures by ${file.sdk}`);
}

/** Under the name of the vendor's host. */
async function expectSigned(url: string, domain: string, serverUrl: string): Promise<void> {
  const reply = await fetchAs(domain, serverUrl)(new URL(url), {});
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${await reply.text()}`);
  expectContent(new Uint8Array(await reply.arrayBuffer()));
}

async function bytesAt(url: string): Promise<Uint8Array> {
  const reply = await fetch(url);
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${await reply.text()}`);
  return new Uint8Array(await reply.arrayBuffer());
}

function expectContent(bytes: Uint8Array): void {
  if (!Buffer.from(bytes).equals(CONTENT)) throw new Error(`Other content: ${Buffer.from(bytes).toString()}`);
}

function expectKeys(keys: readonly string[]): void {
  const missing = OBJECT_KEYS.filter((key) => !keys.includes(key));
  if (missing.length > 0) throw new Error(`The listing lacks ${missing.join(", ")}: ${keys.join(", ")}`);
}
