/** Buckets of other stores than S3: an S3 bucket to the client all the same. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { TestCluster } from "../e2e/test-cluster.ts";
import { ensureAzurite } from "../fixtures/azurite.ts";
import { MemoryBuckets } from "../fixtures/bucket-contents.ts";
import { startGcsStore } from "../fixtures/gcs-store.ts";
import { HfHub } from "../fixtures/hf-hub.ts";
import { joinWithGateway, READER } from "./gateway-peers.ts";
import { sha256 } from "./stored-objects.ts";

const SETUP_TIMEOUT_MS = 300_000;
const CONTENT = randomBytes(700_000);
const KEYS = ["a b+c/é.bin", "config.json", "weights.bin"];

let cluster: TestCluster;
let client: S3Client;
const owned = new AsyncDisposableStack();

beforeAll(async () => {
  const buckets = new MemoryBuckets();
  const [started, hub, gcs, azurite] = await Promise.all([
    TestCluster.start({ peers: 0 }),
    HfHub.start(),
    startGcsStore(buckets),
    ensureAzurite(),
  ]);
  cluster = owned.use(started);
  owned.use(hub);
  owned.defer(() => gcs.stop());
  hub.createRepo("models/owner/llama", "private");
  const container = `gateway-${process.pid}`;
  await azurite.createContainer(container);
  for (const key of KEYS) {
    buckets.put("bucket", `llama/${key}`, CONTENT);
    hub.put("models/owner/llama", key, CONTENT);
    await azurite.put(container, `llama/${key}`, CONTENT);
  }
  const serviceAccountFile = join(cluster.folder, "gcs.json");
  await writeFile(serviceAccountFile, JSON.stringify(gcs.serviceAccount));
  const gateway = await joinWithGateway(cluster, {
    name: "one",
    buckets: {
      google: "gs://bucket/llama",
      azure: `as://${azurite.account.accountName}/${container}/llama`,
      hub: "hf://owner/llama",
    },
    store: {},
    settings: {
      stores: [
        { prefix: "gs://bucket", endpoint: gcs.url, serviceAccountFile },
        { prefix: `as://${azurite.account.accountName}`, endpoint: azurite.url, ...azurite.account },
        { prefix: "hf://owner", endpoint: hub.url, accessToken: hub.token },
      ],
    },
  });
  client = new S3Client({
    endpoint: gateway.url,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { ...READER },
  });
}, SETUP_TIMEOUT_MS);
afterAll(async () => await owned.disposeAsync());

describe.each(["google", "azure", "hub"])("the bucket %s", (Bucket) => {
  test("is listed, with and without a delimiter, and page by page", async () => {
    const all = await client.send(new ListObjectsV2Command({ Bucket }));
    expect(all.Contents?.map(({ Key, Size }) => [Key, Size])).toEqual(KEYS.map((key) => [key, CONTENT.length]));
    const top = await client.send(new ListObjectsV2Command({ Bucket, Delimiter: "/" }));
    expect(top.CommonPrefixes).toEqual([{ Prefix: "a b+c/" }]);
    expect(top.Contents?.map(({ Key }) => Key)).toEqual(KEYS.slice(1));
    const first = await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 2 }));
    const rest = await client.send(
      new ListObjectsV2Command({ Bucket, ContinuationToken: first.NextContinuationToken }),
    );
    expect([...(first.Contents ?? []), ...(rest.Contents ?? [])].map(({ Key }) => Key)).toEqual(KEYS);
    const after = await client.send(new ListObjectsV2Command({ Bucket, StartAfter: KEYS[0] }));
    expect(after.Contents?.map(({ Key }) => Key)).toEqual(KEYS.slice(1));
  });

  test.each(KEYS)("has %j, whole and in part, with what the store says of it", async (Key) => {
    const head = await client.send(new HeadObjectCommand({ Bucket, Key }));
    const whole = await client.send(new GetObjectCommand({ Bucket, Key, IfMatch: head.ETag }));
    expect(sha256((await whole.Body?.transformToByteArray()) ?? new Uint8Array())).toBe(sha256(CONTENT));
    expect([head.ContentLength, head.ETag, head.LastModified]).toEqual([
      CONTENT.length,
      whole.ETag,
      whole.LastModified,
    ]);
    const part = await client.send(new GetObjectCommand({ Bucket, Key, Range: "bytes=300000-300009" }));
    expect(await part.Body?.transformToByteArray()).toEqual(Uint8Array.from(CONTENT.subarray(300_000, 300_010)));
  });

  test("does not have what the store does not have", async () => {
    // Clients look for the second to see whether there is a folder.
    for (const Key of ["missing", "a b+c/"]) {
      const missing = client.send(new GetObjectCommand({ Bucket, Key }));
      expect(await missing.then(String, (error: Error) => error.name)).toBe("NoSuchKey");
    }
  });
});
