/** OSS, OBS, COS and the credentials of AWS by real processes: a scheduler, a seed and two peers. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TestCluster } from "../e2e/test-cluster.ts";
import { MemoryBuckets } from "../fixtures/bucket-contents.ts";
import type { BucketServer } from "../fixtures/bucket-server.ts";
import { pantala, type RunningPeer } from "../fixtures/cluster.ts";
import { startCosStore } from "../fixtures/cos-store.ts";
import { startObsStore } from "../fixtures/obs-store.ts";
import { startOssStore } from "../fixtures/oss-store.ts";
import { startKeyServices } from "../fixtures/s3-key-services.ts";
import { startS3Store } from "../fixtures/s3-store.ts";

const KEYS = { accessKeyId: "hidden-access-key", secretAccessKey: "hidden-secret", sessionToken: "hidden-token" };
const SIZE_BYTES = 3 * 1024 * 1024 + 17;
const START_TIMEOUT_MS = 60_000;
const KEY = "a b+c=d%25é~!'()*.bin";

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start({ peers: 1, seeds: 1 });
}, START_TIMEOUT_MS);

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

const start = {
  oss: (contents: MemoryBuckets) => startOssStore({ contents, ...KEYS, region: "cn-hangzhou" }),
  obs: (contents: MemoryBuckets) => startObsStore({ contents, ...KEYS }),
  cos: (contents: MemoryBuckets) => startCosStore({ contents, ...KEYS }),
};
const variables = {
  oss: {
    OSS_ACCESS_KEY_ID: "accessKeyId",
    OSS_ACCESS_KEY_SECRET: "secretAccessKey",
    OSS_SESSION_TOKEN: "sessionToken",
  },
  obs: {
    OBS_ACCESS_KEY_ID: "accessKeyId",
    OBS_SECRET_ACCESS_KEY: "secretAccessKey",
    OBS_SECURITY_TOKEN: "sessionToken",
  },
  cos: { COS_SECRET_ID: "accessKeyId", COS_SECRET_KEY: "secretAccessKey", COS_SESSION_TOKEN: "sessionToken" },
} as const;

function environmentFor(scheme: keyof typeof start): Record<string, string> {
  return Object.fromEntries(Object.entries(variables[scheme]).map(([name, option]) => [name, KEYS[option]]));
}

async function digestGotBy(
  peer: RunningPeer,
  url: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const output = join(cluster.folder, `output-${randomBytes(4).toString("hex")}`);
  const result = await pantala(["get", url, "-O", output, "--socket", peer.socket, "--no-progress", ...args], { env });
  if (result.exitCode !== 0) throw new Error(`${peer.name}: ${result.stderr}\n${peer.daemon.log().slice(-2000)}`);
  return digestOf(await readFile(output));
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What the scheduler knows and what everybody logged. */
async function toldToOthers(peers: readonly RunningPeer[]): Promise<string> {
  const tasks = JSON.stringify(await cluster.query("/v1/tasks"));
  return [tasks, cluster.scheduler.daemon.log(), ...peers.map((peer) => peer.daemon.log())].join("\n");
}

function filledBuckets(content: Uint8Array): MemoryBuckets {
  const contents = new MemoryBuckets();
  contents.put("bucket-1250000000", KEY, content);
  return contents;
}

test.each(["oss", "obs", "cos"] as const)(
  "%s:// is read once by a seed, for a command with the vendor's variables and a peer with a rule",
  async (scheme) => {
    const content = randomBytes(SIZE_BYTES);
    await using store: BucketServer = await start[scheme](filledBuckets(content));
    const url = `${scheme}://bucket-1250000000/${KEY}`;
    const byVariables = cluster.peer(0);
    const endpoint = ["--storage-endpoint", store.url];
    expect(await digestGotBy(byVariables, url, endpoint, environmentFor(scheme))).toBe(digestOf(content));

    const config = join(cluster.folder, `${scheme}.yaml`);
    const rule = { prefix: `${scheme}://bucket-1250000000`, endpoint: store.url, ...KEYS };
    await writeFile(config, JSON.stringify({ stores: [rule] }), { mode: 0o600 });
    const byRule = await cluster.join(`${scheme}-rule`, { args: ["--config", config] });
    expect(await digestGotBy(byRule, url, [])).toBe(digestOf(content));

    expect(store.stats().bodyBytes).toBeLessThanOrEqual(SIZE_BYTES + 2);
    expect(await toldToOthers([byVariables, byRule, ...cluster.seeds])).not.toContain("hidden");
  },
  START_TIMEOUT_MS,
);

test.each(["oss", "obs", "cos"] as const)(
  "a folder of %s:// is fetched with all that is under it, and nothing beside it",
  async (scheme) => {
    const keys = ["llm/a b+c.bin", "llm/deep/er/日本語.bin", "llm/empty", "llm-other/x", "top"];
    const contents = new MemoryBuckets();
    const files = new Map(keys.map((key, at) => [key, randomBytes(at === 2 ? 0 : 1000 * (at + 1))]));
    for (const [key, content] of files) contents.put("bucket-1250000000", key, content);
    await using store = await start[scheme](contents);
    const peer = cluster.peer(0);
    const output = join(cluster.folder, `${scheme}-folder`);
    const url = `${scheme}://bucket-1250000000/llm`;
    const args = ["get", "-r", url, "-O", output, "--socket", peer.socket, "--storage-endpoint", store.url];
    const result = await pantala([...args, "--no-progress"], { env: environmentFor(scheme) });
    expect(`${result.exitCode} ${result.stderr}`).toBe("0 ");
    const found = (await readdir(output, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const names = found.map((entry) => join(entry.parentPath, entry.name).slice(output.length + 1)).toSorted();
    const delivered = names.filter((name) => !name.startsWith(".pantala"));
    expect(delivered).toEqual(["a b+c.bin", "deep/er/日本語.bin", "empty"]);
    for (const name of delivered)
      expect(await readFile(join(output, name))).toEqual(files.get(`llm/${name}`) ?? never());
  },
  START_TIMEOUT_MS,
);

function never(): never {
  throw new Error("There is no such object");
}

test(
  "keys that a peer's container is given go to the seed, which has none, and nowhere else",
  async () => {
    const content = randomBytes(SIZE_BYTES);
    const given = {
      accessKeyId: "container-key",
      secretAccessKey: "container-secret",
      sessionToken: "container-token",
    };
    await using store = await startS3Store({ contents: filledBuckets(content), ...given });
    await using services = await startKeyServices({
      containerToken: "hidden-container-token",
      webIdentityToken: "",
      assumer: { accessKeyId: "", secretAccessKey: "" },
    });
    const peer = await cluster.join("in-container", {
      env: {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${services.url}/container`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: "hidden-container-token",
        AWS_ENDPOINT_URL_S3: store.url,
        HOME: cluster.folder,
      },
    });
    expect(await digestGotBy(peer, `s3://bucket-1250000000/${KEY}`, [])).toBe(digestOf(content));
    expect(store.stats().bodyBytes).toBeLessThanOrEqual(SIZE_BYTES + 2);
    expect(services.asked).toEqual(["GET /container"]);
    const told = await toldToOthers([peer, ...cluster.seeds]);
    expect(told).not.toMatch(/hidden|container-(?:key|secret|token)/);
  },
  START_TIMEOUT_MS,
);
