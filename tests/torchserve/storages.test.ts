/** The document's four files for its four storages, each with an endpoint that leads to a store of the test which
 *  verifies who asks. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TestCluster } from "../e2e/test-cluster.ts";
import { type Azurite, ensureAzurite } from "../fixtures/azurite.ts";
import { MemoryBuckets } from "../fixtures/bucket-contents.ts";
import { type GcsStore, startGcsStore } from "../fixtures/gcs-store.ts";
import { startOssStore } from "../fixtures/oss-store.ts";
import { endpointConfigOf, startFace } from "./face.ts";
import { modelArchive } from "./model-archive.ts";
import { ensureTorchServe, startTorchServe, type TorchServe } from "./real-torchserve.ts";

const START_MS = 300_000;
const OSS_KEYS = { accessKeyId: "oss-key", secretAccessKey: "oss-secret" };

const home = await ensureTorchServe().catch((error: unknown) => {
  console.error(`SKIPPED: everything with a real TorchServe, which cannot be had: ${String(error)}`);
  return undefined;
});

describe.skipIf(home === undefined)("TorchServe registers a model from", () => {
  const owned = new AsyncDisposableStack();
  const archive = (name: string) => modelArchive(name, randomBytes(300_000));
  let cluster: TestCluster;
  let torchserve: TorchServe;
  let gcs: GcsStore;
  let azurite: Azurite;
  let ossUrl: string;
  const archives = new Map(["s3", "oss", "gcs", "abs"].map((type) => [type, archive(`from_${type}`)]));
  const archiveOf = (type: string): Uint8Array => archives.get(type) ?? new Uint8Array();

  beforeAll(async () => {
    cluster = owned.use(await TestCluster.start({ peers: 1, seeds: 1 }));
    const folder = join(cluster.folder, "torchserve");
    await mkdir(folder);
    const args = ["--enable-model-api", "--disable-token-auth"];
    torchserve = owned.use(await startTorchServe(home ?? "", { folder, args }));
    const bucketsOf = (type: string) => {
      const buckets = new MemoryBuckets();
      buckets.put("bucket", `from_${type}.mar`, archiveOf(type));
      return buckets;
    };
    const oss = owned.use(await startOssStore({ contents: bucketsOf("oss"), ...OSS_KEYS, region: "cn-hangzhou" }));
    ossUrl = oss.url;
    gcs = owned.use(await startGcsStore(bucketsOf("gcs")));
    azurite = await ensureAzurite();
    await azurite.createContainer("torchserve");
    await azurite.put("torchserve", "from_abs.mar", archiveOf("abs"));
    await writeFile(join(cluster.folder, "store/bucket/from_s3.mar"), archiveOf("s3"));
    await writeFile(join(cluster.folder, "account.json"), JSON.stringify(gcs.serviceAccount), { mode: 0o600 });
  }, START_MS);
  afterAll(() => owned.disposeAsync(), START_MS);

  const storageOf = (type: string): unknown => {
    const s3 = endpointConfigOf(cluster).object_storage;
    const { accountName, accountKey } = azurite.account;
    const { accessKeyId, secretAccessKey } = OSS_KEYS;
    const keys = { access_key_id: accessKeyId, access_key_secret: secretAccessKey };
    const account = { project_id: "project", service_account_path: join(cluster.folder, "account.json") };
    const container = { account_name: accountName, account_key: accountKey, container_name: "torchserve" };
    if (type === "s3") return s3;
    if (type === "oss") return { type, bucket_name: "bucket", endpoint: ossUrl, ...keys };
    if (type === "gcs") return { type, bucket_name: "bucket", ...account, endpoint: gcs.url };
    return { type, ...container, endpoint: azurite.url };
  };

  test.each(["s3", "oss", "gcs", "abs"])(
    "%s",
    async (type) => {
      const config = join(cluster.folder, `${type}.json`);
      const content = { addr: "http://127.0.0.1:65001", header: {}, object_storage: storageOf(type) };
      await writeFile(config, JSON.stringify(content), { mode: 0o600 });
      await using face = await startFace(cluster, cluster.peer(0), torchserve, ["--config", config]);
      const response = await fetch(`${face.url}/dragonfly/models?file_name=from_${type}.mar`, { method: "POST" });
      const said = `Model "from_${type}" Version: 1.0 registered with 0 initial workers.`;
      expect([response.status, ((await response.json()) as { Status: string }).Status]).toEqual([
        200,
        expect.stringContaining(said),
      ]);
      const stored = await readFile(join(torchserve.modelStore, `from_${type}.mar`));
      expect(Buffer.compare(stored, archiveOf(type))).toBe(0);
    },
    START_MS,
  );

  test("no key of a store is in any log", () => {
    const told = [cluster.scheduler, ...cluster.peers, ...cluster.seeds].map(({ daemon }) => daemon.log()).join("\n");
    for (const secret of [OSS_KEYS.secretAccessKey, "PRIVATE KEY", azurite.account.accountKey, "test-secret-key"]) {
      expect(told).not.toContain(secret);
    }
  });
});
