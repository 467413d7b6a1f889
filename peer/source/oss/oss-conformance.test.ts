import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import { MemoryBuckets } from "../../../tests/fixtures/bucket-contents.ts";
import { fetchAs } from "../../../tests/fixtures/named-server.ts";
import { startOssStore } from "../../../tests/fixtures/oss-store.ts";
import { type StoreUnderTest, sourceConformance } from "../source.conformance.ts";

const KEYS = { accessKeyId: "an-access-key", secretAccessKey: "secret/secret+key", sessionToken: "secret/token==" };

/** @param place where the bucket is said to be; at the address of the server when nothing is said */
async function startStore(place: Pick<StoreOptions, "endpoint" | "region">): Promise<StoreUnderTest> {
  const contents = new MemoryBuckets();
  const store = await startOssStore({ contents, ...KEYS, region: "cn-hangzhou" });
  const isNamed = Object.keys(place).length > 0;
  const where = isNamed ? place : { endpoint: store.url };
  const options = { ...where, ...KEYS };
  return {
    url: (key) => `oss://bucket/${key}`,
    missingBucketUrl: "oss://nowhere-1250000000/key",
    options,
    wrongOptions: [
      { ...options, secretAccessKey: "secret-wrong" },
      { ...options, accessKeyId: "nobody" },
      { ...options, sessionToken: "secret-wrong" },
      { ...where, anonymous: true },
    ],
    secrets: ["secret/", "secret-", KEYS.accessKeyId],
    put: async (key, content) => contents.put("bucket", key, content),
    ...(isNamed ? { components: { fetch: fetchAs("aliyuncs.com", store.url) } } : {}),
    [Symbol.asyncDispose]: () => store.stop(),
  };
}

sourceConformance("OSS, version 4", () => startStore({ endpoint: "https://oss-cn-hangzhou.aliyuncs.com" }));
sourceConformance("OSS, version 4 by region alone", () => startStore({ region: "oss-cn-hangzhou" }));
sourceConformance("OSS, version 1", () => startStore({ endpoint: "https://oss-accelerate.aliyuncs.com" }));
sourceConformance("OSS at an address", () => startStore({}));
