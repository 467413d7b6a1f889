import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TestCluster } from "../e2e/test-cluster.ts";
import { ensureDebianPackages } from "../fixtures/debian-packages.ts";
import { pythonClientsEnv } from "../gateway/python-clients.ts";
import { HttpOrigin } from "./http-origin.ts";
import { joinProxy, LOOPBACK, proxyOf, run } from "./proxy-cluster.ts";

const TIMEOUT_MS = 600_000;
const PYTHON = ["boto3==1.44.5", "requests==2.34.2"];

let cluster: TestCluster;
let origin: HttpOrigin;
let proxy: string;
const content = randomBytes(4_000_000);
const sha256 = createHash("sha256").update(content).digest("hex");

beforeAll(async () => {
  origin = await HttpOrigin.start();
  cluster = await TestCluster.start({ peers: 0 });
  proxy = await proxyOf(await joinProxy(cluster, "one", { rules: [{ regex: "/models/" }], upstreams: LOOPBACK }));
}, TIMEOUT_MS);

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
}, TIMEOUT_MS);

describe("clients of all kinds", () => {
  test(
    "wget reads, and goes on where it stopped",
    async () => {
      await ensureDebianPackages("wget", ["wget"]);
      const url = origin.file("/models/wget.bin", content);
      const output = join(cluster.folder, "wget.bin");
      await writeFile(output, content.subarray(0, 1_000_000));
      const { exitCode, stderr } = await run(["wget", "-nv", "-c", "-O", output, url], { http_proxy: proxy });
      expect([exitCode, stderr.includes("wget.bin")]).toEqual([0, true]);
      expect(content.equals(await readFile(output))).toBe(true);
    },
    TIMEOUT_MS,
  );

  test(
    "aria2 reads in eight pieces at once, from one download",
    async () => {
      await ensureDebianPackages("aria2c", ["aria2"]);
      const large = randomBytes(24_000_000);
      const url = origin.file("/models/aria2.bin", large);
      const before = origin.bodyBytes;
      const args = ["-q", "-x8", "-s8", "-k1M", "--all-proxy", proxy, "-d", cluster.folder, "-o", "aria2.bin", url];
      expect((await run(["aria2c", ...args])).exitCode).toBe(0);
      expect(large.equals(await readFile(join(cluster.folder, "aria2.bin")))).toBe(true);
      expect(origin.bodyBytes - before).toBeWithin(large.length, large.length + 3);
    },
    TIMEOUT_MS,
  );

  test(
    "requests and boto3 read plain, presigned and signed; two presigned URLs of one object are one task",
    async () => {
      const env = await pythonClientsEnv(PYTHON);
      const bucket = join(cluster.folder, "store/bucket/models");
      await mkdir(bucket, { recursive: true });
      await writeFile(join(bucket, "model.bin"), content);
      const url = origin.file("/models/python.bin", content);
      const { accessKeyId = "", secretAccessKey = "" } = cluster.storeOptions;
      const script = join(import.meta.dir, "read_through_proxy.py");
      const sentBefore = cluster.store.stats().bodyBytes;
      const ran = await run(["python3", script, proxy, cluster.store.url, accessKeyId, secretAccessKey, url], env);
      expect([ran.exitCode, ran.stderr]).toEqual([0, ""]);
      const got = JSON.parse(ran.stdout.toString()) as {
        presigned: { sha256: string; task: string }[];
        listed: string[];
      };
      expect(got).toMatchObject({
        requests: sha256,
        part: [206, content.subarray(-10).toString("hex")],
        signed: sha256,
      });
      expect(got.presigned.map((each) => each.sha256)).toEqual([sha256, sha256]);
      expect(got.presigned[0]?.task).toMatch(/^[0-9a-f]{64}$/);
      expect(got.presigned[1]?.task).toBe(got.presigned[0]?.task ?? "");
      expect(got.listed).toContain("models/model.bin");
      // Once for the two that were presigned, and once for the one with signed headers, which no other reader may use.
      expect(cluster.store.stats().bodyBytes - sentBefore).toBeWithin(2 * content.length, 2.1 * content.length);
    },
    TIMEOUT_MS,
  );

  test(
    "fetch of Bun reads, as told by the variables of its machine",
    async () => {
      const url = origin.file("/models/bun.bin", content);
      const code = `const r = await fetch(${JSON.stringify(url)}); console.log(r.headers.get("x-dragonfly-task-id") !== null, new Bun.CryptoHasher("sha256").update(await r.arrayBuffer()).digest("hex"))`;
      const { stdout } = await run([process.execPath, "-e", code], { HTTP_PROXY: proxy });
      expect(stdout.toString()).toBe(`true ${sha256}\n`);
    },
    TIMEOUT_MS,
  );
});

describe("a peer on a machine whose variables lead to its own proxy", () => {
  test(
    "reads sources itself, and not in circles",
    async () => {
      const url = origin.file("/models/circle.bin", content);
      const config = join(cluster.folder, "circle.yaml");
      await writeFile(config, JSON.stringify({ proxy: { rules: [{ regex: "/models/" }], upstreams: LOOPBACK } }));
      const port = 20_000 + (process.pid % 10_000);
      const peer = await cluster.join("circle", {
        args: ["--config", config, "--proxy-listen", `127.0.0.1:${port}`],
        env: { HTTP_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: new URL(cluster.scheduler.url).host },
      });
      const own = await proxyOf(peer);
      const { exitCode, stdout } = await run(["curl", "-sS", "-x", own, url]);
      expect([exitCode, content.equals(stdout)]).toEqual([0, true]);
      expect(peer.daemon.log()).toContain("event=proxy.own-variable");
    },
    TIMEOUT_MS,
  );
});
