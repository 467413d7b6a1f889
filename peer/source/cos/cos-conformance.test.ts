import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import { MemoryBuckets } from "../../../tests/fixtures/bucket-contents.ts";
import { startCosStore } from "../../../tests/fixtures/cos-store.ts";
import { fetchAs } from "../../../tests/fixtures/named-server.ts";
import { type StoreUnderTest, sourceConformance } from "../source.conformance.ts";

const KEYS = { accessKeyId: "an-access-key", secretAccessKey: "secret/secret+key", sessionToken: "secret/token==" };

/** @param place where the bucket is said to be; at the address of the server when nothing is said */
async function startStore(place: Pick<StoreOptions, "endpoint" | "region">): Promise<StoreUnderTest> {
  const contents = new MemoryBuckets();
  const store = await startCosStore({ contents, ...KEYS });
  const isNamed = Object.keys(place).length > 0;
  const where = isNamed ? place : { endpoint: store.url };
  const options = { ...where, ...KEYS };
  return {
    url: (key) => `cos://bucket-1250000000/${key}`,
    missingBucketUrl: "cos://nowhere-1250000000/key",
    options,
    wrongOptions: [
      { ...options, secretAccessKey: "secret-wrong" },
      { ...options, accessKeyId: "nobody" },
      { ...options, sessionToken: "secret-wrong" },
      { ...where, anonymous: true },
    ],
    secrets: ["secret/", "secret-", KEYS.accessKeyId],
    put: async (key, content) => contents.put("bucket-1250000000", key, content),
    ...(isNamed ? { components: { fetch: fetchAs("myqcloud.com", store.url) } } : {}),
    [Symbol.asyncDispose]: () => store.stop(),
  };
}

sourceConformance("COS", () => startStore({ endpoint: "https://cos.ap-guangzhou.myqcloud.com" }));
sourceConformance("COS by region alone", () => startStore({ region: "ap-guangzhou" }));
sourceConformance("COS at an address", () => startStore({}));
