import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import { MemoryBuckets } from "../../../tests/fixtures/bucket-contents.ts";
import { type GcsStore, startGcsStore } from "../../../tests/fixtures/gcs-store.ts";
import { tempFolder } from "../../../tests/fixtures/temp-folder.ts";
import { type StoreUnderTest, sourceConformance } from "../source.conformance.ts";

async function startStore(rightsOf: (store: GcsStore, file: string) => StoreOptions): Promise<StoreUnderTest> {
  const contents = new MemoryBuckets();
  const store = await startGcsStore(contents);
  const folder = await tempFolder();
  const file = join(folder.path, "account.json");
  const ofAnother = join(folder.path, "another.json");
  await writeFile(file, JSON.stringify(store.serviceAccount));
  await writeFile(ofAnother, JSON.stringify({ ...store.serviceAccount, client_email: "another@project" }));
  const { hmacKeys } = store;
  const endpoint = store.url;
  return {
    url: (key) => `gs://bucket/${key}`,
    missingBucketUrl: "gs://nowhere/key",
    options: { endpoint, ...rightsOf(store, file) },
    wrongOptions: [
      { endpoint, anonymous: true },
      { endpoint, accessToken: "a.secret-.token" },
      { endpoint, serviceAccountFile: ofAnother },
      { endpoint, ...hmacKeys, secretAccessKey: "secret-wrong" },
    ],
    secrets: ["secret/", "secret-", "PRIVATE KEY"],
    put: async (key, content) => contents.put("bucket", key, content),
    async [Symbol.asyncDispose]() {
      await store.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

sourceConformance("GCS by a service account", () => startStore((_, serviceAccountFile) => ({ serviceAccountFile })));
sourceConformance("GCS by HMAC keys", () => startStore(({ hmacKeys }) => hmacKeys));
