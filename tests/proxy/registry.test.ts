import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TestCluster } from "../e2e/test-cluster.ts";
import { pantala } from "../fixtures/cluster.ts";
import { ensureDebianPackages } from "../fixtures/debian-packages.ts";
import { Containerd } from "./containerd.ts";
import { DockerRegistry, pushImage, type RegistryUser, writeImage } from "./docker-registry.ts";
import { joinProxy, LOOPBACK, proxyOf, run } from "./proxy-cluster.ts";

const TIMEOUT_MS = 180_000;
const USER = { username: "puller", password: "pull secret" };

let cluster: TestCluster;
let open: DockerRegistry;
let guarded: DockerRegistry;
let containerd: Containerd;
let proxies: string[];
let layer: Buffer;
let digest: string;

beforeAll(async () => {
  cluster = await TestCluster.start({ peers: 0 });
  const folder = (name: string) => join(cluster.folder, name);
  const starting = [DockerRegistry.start(folder("open")), DockerRegistry.start(folder("guarded"), USER)] as const;
  [open, guarded] = await Promise.all(starting);
  containerd = await Containerd.start(folder("containerd"));
  await ensureDebianPackages("skopeo", ["skopeo"]);
  layer = await writeImage(folder("image"), 3_000_000);
  digest = `sha256:${createHash("sha256").update(layer).digest("hex")}`;
  await pushImage(open, folder("image"), "library/demo:v1");
  await pushImage(guarded, folder("image"), "library/demo:v1", USER);
  const registries = [
    { host: "open.test", url: `http://${open.host}` },
    { host: "guarded.test", url: `http://${guarded.host}` },
    { host: "ported.test:5000", url: `http://${open.host}` },
  ];
  const peers = await Promise.all(
    ["one", "two"].map((name) => joinProxy(cluster, name, { registries, upstreams: LOOPBACK })),
  );
  proxies = await Promise.all(peers.map(proxyOf));
}, TIMEOUT_MS);

afterAll(async () => {
  await containerd[Symbol.asyncDispose]();
  await Promise.all([open[Symbol.asyncDispose](), guarded[Symbol.asyncDispose]()]);
  await cluster[Symbol.asyncDispose]();
}, TIMEOUT_MS);

/** Has `pantala registry setup` write the configuration of a runtime. The registry itself cannot be reached: its name is
 *  known to nobody. */
async function setup(runtime: string, proxy: string, registry: string): Promise<string> {
  const root = join(cluster.folder, `${runtime}-${new URL(proxy).port}-${registry}`);
  const made = await pantala(["registry", "setup", runtime, "--root", root, "--proxy", proxy, "--registry", registry]);
  if (made.exitCode !== 0) throw new Error(made.stderr);
  return root;
}

async function hostsDir(proxy: string, registry: string): Promise<string> {
  return join(await setup("containerd", proxy, registry), "etc/containerd/certs.d");
}

/** @param user as of `podman login` */
async function skopeo(proxy: string, registry: string, output: string, user?: RegistryUser) {
  const root = await setup("podman", proxy, registry);
  const config = join(root, "etc/containers/registries.conf.d/50-pantala.conf");
  const folder = join(cluster.folder, output);
  const logins = `${folder}.json`;
  const location = `${new URL(proxy).host}/${registry}`;
  const auth = user === undefined ? undefined : Buffer.from(`${user.username}:${user.password}`).toString("base64");
  await writeFile(logins, JSON.stringify({ auths: auth === undefined ? {} : { [location]: { auth } } }));
  const command = ["skopeo", "--insecure-policy", "--registries-conf", config, "copy", "-q"];
  const image = `docker://${registry}/library/demo:v1`;
  const ran = await run([...command, image, `dir:${folder}`], { REGISTRY_AUTH_FILE: logins });
  return { ...ran, layer: await readFile(join(folder, digest.slice("sha256:".length))).catch(() => undefined) };
}

describe("a registry behind two peers", () => {
  test(
    "gives an image to containerd and skopeo, and its layers only once",
    async () => {
      const [one = "", two = ""] = proxies;
      const fetched = await containerd.fetch("open.test/library/demo:v1", await hostsDir(one, "open.test"));
      expect([fetched.exitCode, fetched.stderr]).toEqual([0, ""]);
      const stored = await containerd.ctr("content", "get", digest);
      expect(stored.stdout.equals(layer)).toBe(true);
      const read = open.blobBytes();
      // Whether and in which parts it may be had is asked with one byte at most.
      expect(open.blobBytes(digest)).toBeWithin(layer.length, layer.length + 3);
      const pulled = await skopeo(two, "open.test", "pulled");
      expect([pulled.exitCode, pulled.stderr]).toEqual([0, ""]);
      expect(pulled.layer?.equals(layer)).toBe(true);
      // The bytes of the second came from the first; the registry was only asked whether they may be had.
      expect(open.blobBytes() - read).toBeWithin(0, 5);
    },
    TIMEOUT_MS,
  );

  test(
    "gives skopeo an image of a registry with a port",
    async () => {
      const pulled = await skopeo(proxies[1] ?? "", "ported.test:5000", "ported");
      expect([pulled.exitCode, pulled.stderr]).toEqual([0, ""]);
      expect(pulled.layer?.equals(layer)).toBe(true);
    },
    TIMEOUT_MS,
  );

  test(
    "is one task with the same layer of another registry, which wants to know who asks",
    async () => {
      const [one = "", two = ""] = proxies;
      const nobody = await containerd.fetch("guarded.test/library/demo:v1", await hostsDir(one, "guarded.test"));
      expect(nobody.exitCode).not.toBe(0);
      const refused = await skopeo(two, "guarded.test", "refused");
      expect(refused.exitCode).not.toBe(0);
      const wrong = await skopeo(two, "guarded.test", "wrong", { ...USER, password: "wrong" });
      expect(wrong.exitCode).not.toBe(0);
      const creds = `${USER.username}:${USER.password}`;
      await containerd.ctr("content", "rm", digest);
      const hosts = await hostsDir(one, "guarded.test");
      const fetched = await containerd.fetch("guarded.test/library/demo:v1", hosts, "--user", creds);
      expect([fetched.exitCode, fetched.stderr]).toEqual([0, ""]);
      expect((await containerd.ctr("content", "get", digest)).stdout.equals(layer)).toBe(true);
      const pulled = await skopeo(two, "guarded.test", "pulled-guarded", USER);
      expect([pulled.exitCode, pulled.layer?.equals(layer)]).toEqual([0, true]);
      expect(guarded.blobBytes(digest)).toBeWithin(0, 5);
    },
    TIMEOUT_MS,
  );

  test(
    "never gives an old tag: what it points to now is asked each time",
    async () => {
      const [one = ""] = proxies;
      const folder = join(cluster.folder, "newer");
      await writeImage(folder, 10_000);
      await pushImage(open, folder, "library/moving:v1");
      const manifest = async () => {
        const response = await fetch(`${one}/v2/open.test/library/moving/manifests/v1`, {
          headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
        });
        return [response.status, response.headers.get("docker-content-digest")];
      };
      const first = await manifest();
      await writeImage(folder, 20_000);
      await pushImage(open, folder, "library/moving:v1");
      const second = await manifest();
      expect([first[0], second[0]]).toEqual([200, 200]);
      expect(second[1]).not.toBe(first[1] ?? null);
    },
    TIMEOUT_MS,
  );

  test(
    "answers parts of layers, and what it does not have, as registries do",
    async () => {
      const [one = ""] = proxies;
      const url = `${one}/v2/library/demo/blobs/${digest}`;
      const headers = { "x-dragonfly-registry": `http://${open.host}` };
      const part = await fetch(url, { headers: { ...headers, range: "bytes=10-19" } });
      expect([part.status, Buffer.from(await part.arrayBuffer()).equals(layer.subarray(10, 20))]).toEqual([206, true]);
      const head = await fetch(url, { method: "HEAD", headers });
      expect([head.status, head.headers.get("content-length"), head.headers.get("docker-content-digest")]).toEqual([
        200,
        String(layer.length),
        digest,
      ]);
      const missing = await fetch(`${one}/v2/library/demo/blobs/sha256:${"0".repeat(64)}`, { headers });
      const { errors } = (await missing.json()) as { errors: { code: string }[] };
      expect([missing.status, errors[0]?.code]).toEqual([404, "BLOB_UNKNOWN"]);
      const ping = await fetch(`${one}/v2/`, { headers: { "user-agent": "docker/24.0.0" } });
      expect([ping.status, ping.headers.get("docker-distribution-api-version")]).toEqual([200, "registry/2.0"]);
    },
    TIMEOUT_MS,
  );
});
