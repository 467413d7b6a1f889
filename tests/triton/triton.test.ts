/** Models come to a real Triton: into its repository peer to peer, and by its own S3 client through the gateway. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TestCluster } from "../e2e/test-cluster.ts";
import { PANTALA, pantala, type RunningPeer } from "../fixtures/cluster.ts";
import { Daemon, until } from "../fixtures/daemon.ts";
import { joinWithGateway, READER } from "../gateway/gateway-peers.ts";
import { ensureTriton, startTriton, type Triton } from "./real-triton.ts";
import { AGENTS_BLOCK, configOf, versionFiles, writeFiles } from "./test-model.ts";

const WEIGHTS_BYTES = 3_000_000;
const START_MS = 120_000;

const home = await ensureTriton().catch((error: unknown) => {
  console.error(`SKIPPED: everything with a real Triton, which cannot be had: ${String(error)}`);
  return undefined;
});

describe.skipIf(home === undefined)("with a real Triton", () => {
  const owned = new AsyncDisposableStack();
  let cluster: TestCluster;
  let repository: string;
  let triton: Triton;
  let credential: string;

  beforeAll(async () => {
    cluster = owned.use(await TestCluster.start({ peers: 2, seeds: 1 }));
    repository = join(cluster.folder, "repository");
    await mkdir(repository);
    triton = owned.use(await start(repository));
    credential = join(cluster.folder, "cloud_credential.json");
    const { accessKeyId, secretAccessKey, region } = cluster.storeOptions;
    const wrong = { secret_key: "wrong", key_id: "wrong", region: "us-east-1", session_token: "", profile: "" };
    const right = { secret_key: secretAccessKey, key_id: accessKeyId, region, session_token: "", profile: "" };
    const entries = { "": wrong, [bucketUrl()]: right, [`${bucketUrl()}-2`]: wrong };
    await writeFile(credential, JSON.stringify({ gs: { "": "PATH" }, s3: entries }), { mode: 0o600 });
  }, START_MS);
  afterAll(() => owned.disposeAsync(), START_MS);

  const start = async (of: string, env: Record<string, string> = {}): Promise<Triton> => {
    if (home === undefined) throw new Error("there is no Triton");
    return await startTriton(home, { repository: of, folder: cluster.folder, env });
  };
  /** As Triton writes it. */
  const bucketUrl = () => `s3://${cluster.store.url.replace("http://", "")}/bucket`;
  const put = (model: string, files: Readonly<Record<string, string | Uint8Array>>) =>
    writeFiles(join(cluster.folder, "store/bucket/models", model), files);
  const argsOf = (model: string, peer: RunningPeer, more: readonly string[] = []) => [
    ...["triton", "localize", `${bucketUrl()}/models/${model}`, "--repository", repository],
    ...["--socket", peer.socket, "--cloud-credential", credential, ...more],
  ];
  const localize = (model: string, more: readonly string[] = [], peer = cluster.peer(0)) =>
    pantala(argsOf(model, peer, more));

  test(
    "a model with all its versions comes peer to peer, is linked and not copied, and answers",
    async () => {
      await put("double", {
        "config.pbtxt": configOf("double"),
        ...versionFiles(1, 2, WEIGHTS_BYTES),
        ...versionFiles(2, 3, WEIGHTS_BYTES),
      });
      const { exitCode, stdout, stderr } = await localize("double", ["--load", triton.url]);
      expect([exitCode, stderr]).toEqual([0, ""]);
      expect(stdout).toMatch(/double: 5 files, 5\.72 MiB, in .*; 5 hard links; loaded by Triton at http/);
      expect(await triton.infer("double", 7)).toBe(21);
      expect((await stat(join(repository, "double/1/weights.bin"))).nlink).toBe(2);
      expect(await readdir(repository)).toEqual(["double"]);
      expect((await readdir(cluster.folder)).filter((name) => name.startsWith("."))).toEqual([]);
      expect(cluster.peer(0).daemon.log()).toMatch(
        /event=task\.done peer=\S+ task=\S+ cost=\d+ms component=triton trace=[0-9a-f]{32}/,
      );
    },
    START_MS,
  );

  test(
    "what is current is not fetched again, and a second node has it from the first",
    async () => {
      await put("second", { "config.pbtxt": configOf("second"), ...versionFiles(1, 2, WEIGHTS_BYTES) });
      expect((await localize("second")).stdout).toContain("3 files");
      const again = await localize("second");
      expect(again.stdout).toContain("current already");
      const before = cluster.store.stats().bodyBytes;
      const other = join(cluster.folder, "other-repository");
      await mkdir(other);
      const args = argsOf("second", cluster.peer(1), ["--json"]).map((arg) => (arg === repository ? other : arg));
      const result = JSON.parse((await pantala(args)).stdout) as Record<string, unknown>;
      expect(result).toMatchObject({ model: "second", state: "changed", fileCount: 3, sourceBytes: 0 });
      expect(cluster.store.stats().bodyBytes - before).toBe(0);
    },
    START_MS,
  );

  test(
    "--watch brings a change and has Triton load it, also when the old content comes back",
    async () => {
      await put("watched", { "config.pbtxt": configOf("watched"), ...versionFiles(1, 4, 1000) });
      const daemon = new Daemon({
        name: "localize --watch",
        command: [
          ...PANTALA,
          ...argsOf("watched", cluster.peer(0), ["--load", triton.url, "--watch", "--interval", "1s"]),
        ],
        logPath: join(cluster.folder, "watch.log"),
      });
      const says = (value: number) =>
        until(`the model says ${value}`, async () => (await triton.infer("watched", 1)) === value, { daemon });
      await says(4);
      await put("watched", versionFiles(1, 5, 1000));
      await says(5);
      await put("watched", { ...versionFiles(1, 4, 1000), "2/model.py": "", "2/weights.bin": "" });
      await rm(join(cluster.folder, "store/bucket/models/watched/2"), { recursive: true });
      await says(4);
      const unload = `${triton.url}/v2/repository/models/watched/unload`;
      expect((await fetch(unload, { method: "POST" })).status).toBe(200);
      await says(4);
      expect(await daemon.stop()).toBe(0);
      const left = await readdir(join(repository, "watched"));
      expect(left.toSorted()).toEqual([".pantala-model.json", "1", "config.pbtxt"]);
    },
    START_MS,
  );

  test(
    "the agent of the document keeps Triton from loading, until it is left out by an option that says so",
    async () => {
      await put("agent", { "config.pbtxt": configOf("agent", AGENTS_BLOCK), ...versionFiles(1, 6, 1000) });
      const refused = await localize("agent", ["--load", triton.url]);
      expect(refused.exitCode).toBe(12);
      expect(refused.stderr).toContain("config.pbtxt names the agent dragonfly");
      expect(triton.daemon.log()).toContain("libtritonrepoagent_dragonfly.so");

      const stripped = await localize("agent", ["--load", triton.url, "--strip-agents"]);
      expect([stripped.exitCode, stripped.stderr]).toEqual([
        0,
        "pantala triton localize: config.pbtxt: the agent dragonfly was left out of it\n",
      ]);
      expect(await triton.infer("agent", 2)).toBe(12);
      const config = await readFile(join(repository, "agent/config.pbtxt"), "utf8");
      expect(config.trimEnd()).toBe(configOf("agent").trimEnd());
      expect((await localize("agent", ["--strip-agents"])).stdout).toContain("current already");
    },
    START_MS,
  );

  test(
    "what Triton refuses to load goes, and what it had comes back",
    async () => {
      await put("brittle", { "config.pbtxt": configOf("brittle"), ...versionFiles(1, 8, 1000) });
      expect((await localize("brittle", ["--load", triton.url])).exitCode).toBe(0);
      await put("brittle", { "1/model.py": "this is no Python" });
      const refused = await localize("brittle", ["--load", triton.url]);
      expect([refused.exitCode, refused.stdout]).toEqual([12, ""]);
      expect(refused.stderr).toContain("Triton did not load brittle");
      expect(await readFile(join(repository, "brittle/1/model.py"), "utf8")).toContain("TritonPythonModel");
      expect(await triton.infer("brittle", 1)).toBe(8);
    },
    START_MS,
  );

  test(
    "a folder that is not there, and keys that are wrong, leave the repository as it was",
    async () => {
      const before = await readdir(repository);
      const absent = await localize("absent");
      expect([absent.exitCode, absent.stdout]).toEqual([4, ""]);
      const wrong = join(cluster.folder, "wrong.json");
      await writeFile(wrong, JSON.stringify({ s3: { "": { key_id: "wrong", secret_key: "wrong" } } }), { mode: 0o600 });
      const forbidden = await localize("forbidden", ["--cloud-credential", wrong]);
      expect(forbidden.exitCode).toBe(5);
      expect(await readdir(repository)).toEqual(before);
      expect((await readdir(cluster.folder)).filter((name) => name.startsWith("."))).toEqual([]);
    },
    START_MS,
  );

  test(
    "Triton's own S3 client reads a repository through the gateway of a peer, and the store once for two Tritons",
    async () => {
      await put("remote", { "config.pbtxt": configOf("remote"), ...versionFiles(1, 9, WEIGHTS_BYTES) });
      const buckets = { models: "s3://bucket/models" };
      const before = cluster.store.stats().bodyBytes;
      for (const name of ["gate-1", "gate-2"]) {
        const gate = await joinWithGateway(cluster, { name, buckets, store: cluster.storeOptions });
        const keys = { AWS_ACCESS_KEY_ID: READER.accessKeyId, AWS_SECRET_ACCESS_KEY: READER.secretAccessKey };
        const url = `s3://${gate.url.replace("http://", "")}/models`;
        await using remote = await start(url, { ...keys, AWS_DEFAULT_REGION: "us-east-1" });
        const loaded = await fetch(`${remote.url}/v2/repository/models/remote/load`, { method: "POST" });
        expect([loaded.status, await loaded.text()]).toEqual([200, ""]);
        expect(await remote.infer("remote", 3)).toBe(27);
      }
      const objectBytes = cluster.store.stats().bodyBytes - before;
      expect(objectBytes).toBeLessThan(WEIGHTS_BYTES * 1.5);
    },
    START_MS,
  );
});
