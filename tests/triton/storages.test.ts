/** `cloud_credential.json` for the stores it names: a model of each comes whole, with its folders. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TestCluster } from "../e2e/test-cluster.ts";
import { type Azurite, ensureAzurite } from "../fixtures/azurite.ts";
import { MemoryBuckets } from "../fixtures/bucket-contents.ts";
import { type CommandResult, pantala } from "../fixtures/cluster.ts";
import { type GcsStore, startGcsStore } from "../fixtures/gcs-store.ts";
import { configOf } from "./test-model.ts";

const START_MS = 300_000;
const WEIGHTS = randomBytes(400_000);
const FILES = new Map([
  ["config.pbtxt", Buffer.from(configOf("densenet_onnx"))],
  ["densenet_labels.txt", Buffer.from("COFFEE MUG\n")],
  ["1/model.onnx", WEIGHTS],
  ["2/model.onnx", WEIGHTS.subarray(0, 1000)],
]);

let cluster: TestCluster;
let gcs: GcsStore;
let azurite: Azurite;
let credential: string;

beforeAll(async () => {
  const buckets = new MemoryBuckets();
  for (const [path, content] of FILES) buckets.put("bucket", `models/densenet_onnx/${path}`, content);
  // How stores keep a folder with nothing in it: an ensemble has such versions.
  buckets.put("bucket", "models/densenet_onnx/3/", new Uint8Array());
  buckets.put("bucket", "models/densenet_onnx_2/1/model.onnx", randomBytes(10));
  buckets.put("bucket", "models/evil/../../escaped", randomBytes(10));
  [cluster, gcs, azurite] = await Promise.all([
    TestCluster.start({ peers: 1 }),
    startGcsStore(buckets),
    ensureAzurite(),
  ]);
  await azurite.createContainer("triton");
  for (const [path, content] of FILES) await azurite.put("triton", `models/densenet_onnx/${path}`, content);
  await writeFile(join(cluster.folder, "account.json"), JSON.stringify(gcs.serviceAccount), { mode: 0o600 });
  credential = join(cluster.folder, "cloud_credential.json");
  const { accountName, accountKey } = azurite.account;
  const entries = {
    gs: { "": "no-such-file.json", "gs://bucket": "account.json" },
    as: { "": { account_str: accountName, account_key: accountKey } },
  };
  await writeFile(credential, JSON.stringify(entries), { mode: 0o600 });
}, START_MS);

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await gcs.stop();
});

async function localize(url: string, repository: string, endpoint: string): Promise<CommandResult> {
  await mkdir(repository, { recursive: true });
  const args = ["--repository", repository, "--cloud-credential", credential, "--storage-endpoint", endpoint];
  return await pantala(["triton", "localize", url, ...args, "--socket", cluster.peer(0).socket], {
    cwd: cluster.folder,
  });
}

test.each(["gs", "as"])(
  "a model in %s:// comes with all its versions",
  async (scheme) => {
    const repository = join(cluster.folder, scheme);
    const [url, endpoint] =
      scheme === "gs"
        ? ["gs://bucket/models/densenet_onnx", gcs.url]
        : ["as://devstoreaccount1/triton/models/densenet_onnx", azurite.url];
    const result = await localize(url, repository, endpoint);
    expect(`${result.exitCode} ${result.stderr}`).toBe("0 ");
    const found = await readdir(join(repository, "densenet_onnx"), { recursive: true });
    const expected = [".pantala-model.json", "1", "2", ...(scheme === "gs" ? ["3"] : []), ...FILES.keys()];
    expect(new Set(found)).toEqual(new Set(expected));
    for (const [path, content] of FILES) {
      expect((await readFile(join(repository, "densenet_onnx", path))).equals(content)).toBe(true);
    }
  },
  START_MS,
);

test("a key that would leave the model's folder is refused, and nothing is written", async () => {
  const repository = join(cluster.folder, "evil");
  const result = await localize("gs://bucket/models/evil", repository, gcs.url);
  expect(result.exitCode).not.toBe(0);
  expect(await readdir(repository)).toEqual([]);
  expect(await stat(join(cluster.folder, "escaped")).catch(() => "absent")).toBe("absent");
});

test("a repository that is not there is told, with what to do", async () => {
  const args = ["--repository", join(cluster.folder, "nowhere"), "--cloud-credential", credential];
  const url = "gs://bucket/models/densenet_onnx";
  const socket = ["--socket", cluster.peer(0).socket, "--storage-endpoint", gcs.url];
  const result = await pantala(["triton", "localize", url, ...args, ...socket], { cwd: cluster.folder });
  expect(result.exitCode).toBe(8);
  expect(result.stderr).toContain("--repository");
});
