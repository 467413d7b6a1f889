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
import { ODD_KEYS, sourceConformance } from "../../peer/source/source.conformance.ts";
import { bytesOf, problemIn, sourceOpener, statOf } from "../fixtures/opened-source.ts";
import { ensureSwift, type Swift } from "../fixtures/swift.ts";

const MIB = 1024 * 1024;
const CONTENT = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 31) % 251);
/** Installing the packages on a fresh machine takes its time. */
const SETUP_TIMEOUT_MS = 600_000;

let swift: Swift;

beforeAll(async () => {
  swift = await ensureSwift();
  await swift.client.send(new CreateBucketCommand({ Bucket: "sources" }));
  for (const Key of ODD_KEYS) await swift.client.send(new PutObjectCommand({ Bucket: "sources", Key, Body: CONTENT }));
}, SETUP_TIMEOUT_MS);

const s3 = (more: object = {}) => ({ store: { endpoint: swift.url, region: "us-east-1", ...swift.keys, ...more } });

sourceConformance(
  "S3 of Swift",
  async () => {
    const { url: endpoint, keys, client } = await ensureSwift();
    await client.send(new CreateBucketCommand({ Bucket: "conformance" }));
    const options = { endpoint, ...keys };
    return {
      url: (key) => `s3://conformance/${key}`,
      missingBucketUrl: "s3://nowhere/key",
      options,
      wrongOptions: [
        { ...options, secretAccessKey: "wrong-secret" },
        { ...options, accessKeyId: "test:nobody" },
      ],
      secrets: ["wrong-secret", keys.accessKeyId, "test:nobody"],
      put: async (Key, Body) => {
        await client.send(new PutObjectCommand({ Bucket: "conformance", Key, Body }));
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
  { setupTimeoutMs: SETUP_TIMEOUT_MS },
);

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

test.each(ODD_KEYS)("two presigned URLs of the key %j are one location, and both are read", async (key) => {
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
