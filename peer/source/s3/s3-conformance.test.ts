import { MemoryBuckets } from "../../../tests/fixtures/bucket-contents.ts";
import { startS3Store } from "../../../tests/fixtures/s3-store.ts";
import { type StoreUnderTest, sourceConformance } from "../source.conformance.ts";

const KEYS = { accessKeyId: "an:access-key", secretAccessKey: "secret/secret+key", sessionToken: "secret/token==" };

async function startStore(hasListVersion2: boolean): Promise<StoreUnderTest> {
  const contents = new MemoryBuckets();
  const store = await startS3Store({ contents, ...KEYS, hasListVersion2 });
  const options = { endpoint: store.url, ...KEYS };
  return {
    url: (key) => `s3://bucket/${key}`,
    missingBucketUrl: "s3://nowhere/key",
    options,
    wrongOptions: [
      { ...options, secretAccessKey: "secret-wrong" },
      { ...options, accessKeyId: "nobody" },
      { ...options, sessionToken: "secret-wrong" },
      { endpoint: store.url, anonymous: true },
    ],
    secrets: ["secret/", "secret-", KEYS.accessKeyId],
    put: async (key, content) => contents.put("bucket", key, content),
    [Symbol.asyncDispose]: () => store.stop(),
  };
}

sourceConformance("S3", () => startStore(true));
sourceConformance("S3 without ListObjectsV2", () => startStore(false));
