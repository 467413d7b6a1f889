import { beforeAll, expect, test } from "bun:test";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { bytesOf, problemIn, sourceOpener, statOf } from "../fixtures/opened-source.ts";
import { ensureSwift, type Swift } from "../fixtures/swift.ts";

const MIB = 1024 * 1024;
const CONTENT = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 31) % 251);
const TRICKY_KEYS = [
  "plain.bin",
  "a b+c=d%25é~!'()*.bin",
  "%2e%2e/%20",
  "what?who#where&k=v;x,y@z$:",
  "ünïcödé/日本語/🙂",
  'quotes"<>|^`{}[]\\',
  "/leading//doubled/",
  "trailing ",
];
/** Installing the packages on a fresh machine takes its time. */
const SETUP_TIMEOUT_MS = 600_000;

let swift: Swift;

beforeAll(async () => {
  swift = await ensureSwift();
  await swift.client.send(new CreateBucketCommand({ Bucket: "sources" }));
  for (const Key of TRICKY_KEYS) {
    await swift.client.send(new PutObjectCommand({ Bucket: "sources", Key, Body: CONTENT, ContentType: "model/x" }));
  }
}, SETUP_TIMEOUT_MS);

const s3 = (more: object = {}) => ({ store: { endpoint: swift.url, region: "us-east-1", ...swift.keys, ...more } });

test.each(TRICKY_KEYS)("Swift accepts our signature for the key %j", async (key) => {
  const source = await sourceOpener().open(`s3://sources/${key}`, s3());
  const stat = await statOf(source);
  const md5 = new Bun.CryptoHasher("md5").update(CONTENT).digest("hex");
  expect(stat).toMatchObject({ sizeBytes: 300_000, ranged: true, version: `etag:"${md5}"`, contentType: "model/x" });
  expect(await bytesOf(source, { start: 1000, end: 200_000 }, stat)).toEqual(CONTENT.slice(1000, 200_000));
  expect(await bytesOf(source, undefined, stat)).toEqual(CONTENT);
});

test.each([
  [{ secretAccessKey: "wrong" }, "SignatureDoesNotMatch"],
  [{ accessKeyId: "test:nobody" }, "SignatureDoesNotMatch"],
])("Swift refuses %j, and the problem says so", async (wrong, sourceCode) => {
  const { open, waits } = sourceOpener();
  const problem = await problemIn(statOf(await open("s3://sources/plain.bin", s3(wrong))));
  expect(problem).toMatchObject({ code: "source-forbidden", detail: { status: 403, sourceCode } });
  expect(waits).toEqual([]);
});

test("Swift's credentials may come from the environment", async () => {
  const env = {
    HOME: "/nonexistent",
    AWS_ACCESS_KEY_ID: swift.keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: swift.keys.secretAccessKey,
    AWS_ENDPOINT_URL_S3: swift.url,
  };
  expect(await bytesOf(await sourceOpener({ env }).open("s3://sources/plain.bin"))).toEqual(CONTENT);
});

test("Swift's region is learned when ours is wrong", async () => {
  const source = await sourceOpener().open("s3://sources/plain.bin", s3({ region: "eu-west-1" }));
  expect((await statOf(source)).sizeBytes).toBe(300_000);
});

test("Swift's missing objects and buckets are told apart", async () => {
  const codeAt = async (url: string) => (await problemIn(statOf(await sourceOpener().open(url, s3())))).toProblem();
  expect(await codeAt("s3://sources/no")).toMatchObject({
    code: "source-not-found",
    detail: { sourceCode: "NoSuchKey" },
  });
  expect(await codeAt("s3://nowhere/no")).toMatchObject({
    code: "source-not-found",
    detail: { sourceCode: "NoSuchBucket" },
  });
});

test("an object uploaded in parts is read across their border, and pinned by its ETag", async () => {
  const object = { Bucket: "sources", Key: "parts.bin" };
  const content = Uint8Array.from({ length: 6 * MIB }, (_, at) => (at * 7919) >> 5);
  const { UploadId } = await swift.client.send(new CreateMultipartUploadCommand(object));
  const parts = [content.subarray(0, 5 * MIB), content.subarray(5 * MIB)];
  const uploaded = [];
  for (const [at, Body] of parts.entries()) {
    const part = { ...object, UploadId, PartNumber: at + 1, Body };
    uploaded.push({ PartNumber: at + 1, ETag: (await swift.client.send(new UploadPartCommand(part))).ETag });
  }
  await swift.client.send(
    new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts: uploaded } }),
  );
  const source = await sourceOpener().open("s3://sources/parts.bin", s3());
  const stat = await statOf(source);
  expect(stat.version).toMatch(/^etag:"[0-9a-f]{32}-2"$/);
  const range = { start: 5 * MIB - 1000, end: 5 * MIB + 1000 };
  expect(await bytesOf(source, range, stat)).toEqual(content.slice(range.start, range.end));
  expect(Bun.hash(await bytesOf(source, undefined, stat))).toBe(Bun.hash(content));
});

test("an object that is replaced while it is read is found out", async () => {
  const object = { Bucket: "sources", Key: "changing.bin" };
  await swift.client.send(new PutObjectCommand({ ...object, Body: CONTENT }));
  const source = await sourceOpener().open("s3://sources/changing.bin", s3());
  const stat = await statOf(source);
  await swift.client.send(new PutObjectCommand({ ...object, Body: CONTENT.toReversed() }));
  expect((await problemIn(bytesOf(source, { start: 0, end: 1000 }, stat))).code).toBe("source-changed");
  expect((await statOf(source)).version).not.toBe(stat.version);
});

test("an empty object is empty", async () => {
  await swift.client.send(new PutObjectCommand({ Bucket: "sources", Key: "empty", Body: new Uint8Array() }));
  const source = await sourceOpener().open("s3://sources/empty", s3());
  expect((await statOf(source)).sizeBytes).toBe(0);
  expect(await bytesOf(source)).toHaveLength(0);
});

test.each(TRICKY_KEYS)("two presigned URLs of the key %j are one location, and both are read", async (key) => {
  const command = new GetObjectCommand({ Bucket: "sources", Key: key });
  const earlier = new Date(Date.now() - 60_000);
  const first = await getSignedUrl(swift.client, command, { expiresIn: 600, signingDate: earlier });
  const second = await getSignedUrl(swift.client, command, { expiresIn: 900 });
  expect(first).not.toBe(second);
  const sources = await Promise.all([first, second].map((url) => sourceOpener().open(url)));
  expect(new Set(sources.map(({ location }) => location)).size).toBe(1);
  for (const source of sources) {
    const stat = await statOf(source);
    expect(stat).toMatchObject({ sizeBytes: 300_000, ranged: true });
    expect(await bytesOf(source, { start: 7, end: 777 }, stat)).toEqual(CONTENT.slice(7, 777));
    expect(`${source.displayUrl} ${source.location}`).not.toMatch(/signature|credential/i);
  }
});

test("a presigned URL that expired, or was changed, is forbidden", async () => {
  const command = new GetObjectCommand({ Bucket: "sources", Key: "plain.bin" });
  const old = await getSignedUrl(swift.client, command, { expiresIn: 60, signingDate: new Date(Date.now() - 120_000) });
  const fresh = await getSignedUrl(swift.client, command);
  for (const url of [old, fresh.replace("plain.bin", "trailing%20")]) {
    const problem = await problemIn(statOf(await sourceOpener().open(url)));
    expect(problem.code).toBe("source-forbidden");
    expect(problem.message).not.toContain("X-Amz");
  }
});
