/** Stores of tokens from end to end: a seed reads them with the rights that a child hands on, and the store is read once. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TestCluster } from "../e2e/test-cluster.ts";
import { type Azurite, ensureAzurite } from "../fixtures/azurite.ts";
import { MemoryBuckets } from "../fixtures/bucket-contents.ts";
import { pantala } from "../fixtures/cluster.ts";
import { type GcsStore, startGcsStore } from "../fixtures/gcs-store.ts";
import { HfHub } from "../fixtures/hf-hub.ts";

const SETUP_MS = 300_000;
const CONTENT = randomBytes(3_000_000);

let cluster: TestCluster;
let hub: HfHub;
let gcs: GcsStore;
let azurite: Azurite;

beforeAll(async () => {
  const buckets = new MemoryBuckets();
  buckets.put("bucket", "models/llama.bin", CONTENT);
  [cluster, hub, gcs, azurite] = await Promise.all([
    TestCluster.start({ peers: 2, seeds: 1 }),
    HfHub.start(),
    startGcsStore(buckets),
    ensureAzurite(),
  ]);
  hub.createRepo("models/owner/llama", "private");
  hub.put("models/owner/llama", "config.json", Buffer.from("{}"));
  hub.put("models/owner/llama", "weights/llama.bin", CONTENT);
  await azurite.createContainer("cluster");
  await azurite.put("cluster", "models/llama.bin", CONTENT);
}, SETUP_MS);

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await hub[Symbol.asyncDispose]();
  await gcs.stop();
});

/** By both peers, one after the other. @returns how many bytes came from the store, by what they say */
async function getTwice(url: string, env: Record<string, string>): Promise<number[]> {
  const sourceBytes: number[] = [];
  for (const peer of cluster.peers) {
    const output = cluster.outputOf(peer, "token-store");
    const args = ["get", url, "-O", output, "--overwrite", "--json", "--socket", peer.socket];
    const result = await pantala(args, { env });
    if (result.exitCode !== 0) throw new Error(result.stderr);
    expect((await readFile(output)).equals(CONTENT)).toBe(true);
    sourceBytes.push(JSON.parse(result.stdout).sourceBytes);
  }
  return sourceBytes;
}

const SECRETS = () => [hub.token, gcs.hmacKeys.secretAccessKey, "PRIVATE KEY", azurite.account.accountKey];

describe("with the rights of whoever asks", () => {
  test("a model of Hugging Face is read once, by the seed", async () => {
    hub.requests.length = 0;
    const env = { HF_ENDPOINT: hub.url, HF_TOKEN: hub.token };
    expect(await getTwice("hf://owner/llama/weights/llama.bin", env)).toEqual([0, 0]);
    expect(hub.requests.filter(({ host }) => host === "cdn").length).toBeGreaterThan(0);
  });

  test("an object of GCS is read once, by the seed, which never sees the key of the service account", async () => {
    const file = join(cluster.folder, "account.json");
    await writeFile(file, JSON.stringify(gcs.serviceAccount));
    const env = { GOOGLE_APPLICATION_CREDENTIALS: file, PANTALA_STORAGE_ENDPOINT: gcs.url };
    expect(await getTwice("gs://bucket/models/llama.bin", env)).toEqual([0, 0]);
    expect(gcs.stats().bodyBytes).toBe(CONTENT.length);
  });

  test("a blob of Azure is read once, by the seed, which never sees the key of the account", async () => {
    const { accountName, accountKey } = azurite.account;
    const endpoint = `BlobEndpoint=${azurite.url}`;
    const connection = `AccountName=${accountName};AccountKey=${accountKey};${endpoint}`;
    const env = { AZURE_STORAGE_CONNECTION_STRING: connection };
    expect(await getTwice("abs://cluster/models/llama.bin", env)).toEqual([0, 0]);
  });

  test("nothing of them is in any log, or at the scheduler", async () => {
    const told = [cluster.scheduler.daemon, ...[...cluster.peers, ...cluster.seeds].map(({ daemon }) => daemon)];
    const text = told.map((daemon) => daemon.log()).join("\n") + JSON.stringify(await cluster.query("/v1/tasks"));
    expect(text).toContain("llama.bin");
    for (const secret of [...SECRETS(), "sig=", "eyJ"]) expect(text).not.toContain(secret);
  });
});

test("a repository is fetched as a folder", async () => {
  const output = join(cluster.folder, "repository");
  const { socket } = cluster.peer(0);
  const env = { HF_ENDPOINT: hub.url, HF_TOKEN: hub.token };
  const result = await pantala(["get", "-r", "hf://owner/llama", "-O", output, "--socket", socket], { env });
  expect([result.exitCode, result.stdout]).toEqual([0, expect.stringContaining("2 files")]);
  expect((await readFile(join(output, "weights/llama.bin"))).equals(CONTENT)).toBe(true);
});

test("pantala store check tells which store works, and what is wrong with one that does not", async () => {
  const config = join(cluster.folder, "stores.yaml");
  const { accountKey } = azurite.account;
  const rules = [
    { prefix: "as://devstoreaccount1/cluster", endpoint: azurite.url, accountKey },
    { prefix: "gs://bucket", endpoint: gcs.url, accessToken: "wrong" },
    { prefix: "hf://owner/llama", endpoint: hub.url },
  ];
  // JSON is YAML.
  await writeFile(config, JSON.stringify({ stores: rules }), { mode: 0o600 });
  const peer = await cluster.join("configured", { args: ["--config", config] });
  const checked = await pantala(["store", "check", "--socket", peer.socket]);
  expect(checked.stdout.split("\n")).toEqual([
    "ok      as://devstoreaccount1/cluster: can be listed and read (models/llama.bin)",
    expect.stringMatching(/^FAILED {2}gs:\/\/bucket: .*Storage Object Viewer/),
    expect.stringMatching(/^FAILED {2}hf:\/\/owner\/llama: .*give a token \(HF_TOKEN\)/),
    "",
  ]);
  expect(checked.exitCode).toBe(5);
  const listed = await pantala(["store", "ls", "--socket", peer.socket]);
  expect(listed.stdout).toMatch(/as:\/\/devstoreaccount1\/cluster .* key of the account\n/);
  expect(checked.stdout + checked.stderr + listed.stdout).not.toContain(accountKey);
});
