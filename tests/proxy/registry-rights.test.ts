import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { CertificateAuthority, createAuthority } from "../../peer/proxy/certificate-authority.ts";
import { TestCluster } from "../e2e/test-cluster.ts";
import { until } from "../fixtures/daemon.ts";
import { HttpOrigin } from "./http-origin.ts";
import { curl, joinProxy, LOOPBACK, proxyOf, run } from "./proxy-cluster.ts";

const TIMEOUT_MS = 120_000;
const MEMBER = `Basic ${Buffer.from("member:member secret").toString("base64")}`;

let cluster: TestCluster;
let origin: HttpOrigin;
let one: string;
let two: string;
const layer = randomBytes(1_500_000);

const digestOf = (content: Uint8Array) => `sha256:${createHash("sha256").update(content).digest("hex")}`;

beforeAll(async () => {
  origin = await HttpOrigin.start();
  cluster = await TestCluster.start({ peers: 0 });
  const registries = [{ host: "tokens.test", url: origin.url }];
  const peers = await Promise.all(
    ["one", "two"].map((name) => joinProxy(cluster, name, { registries, upstreams: LOOPBACK })),
  );
  [one = "", two = ""] = await Promise.all(peers.map(proxyOf));
}, TIMEOUT_MS);

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
}, TIMEOUT_MS);

/** A registry as Docker Hub is: it takes tokens alone, which another server gives. */
function serveTokens(repository: string, mayHave: (authorization: string | undefined) => boolean) {
  const token = randomBytes(8).toString("hex");
  origin.on(`/token-${repository}`, (request, response) => {
    if (!mayHave(request.headers.authorization)) response.writeHead(401).end();
    else response.writeHead(200).end(JSON.stringify({ token, expires_in: 300 }));
  });
  const path = `/v2/${repository}/blobs/${digestOf(layer)}`;
  const challenge = `Bearer realm="${origin.url}/token-${repository}",service="test",scope="repository:${repository}:pull"`;
  const manifest = `/v2/${repository}/manifests/v1`;
  const isIn = (authorization: string | undefined) => authorization === `Bearer ${token}`;
  origin.file(path, layer, {}, ({ headers }) => isIn(headers.authorization));
  origin.on(manifest, ({ headers }, response) => {
    if (isIn(headers.authorization)) response.writeHead(200).end("{}");
    else response.writeHead(401, { "www-authenticate": challenge }).end();
  });
  return {
    manifest: `/v2/tokens.test/${repository}/manifests/v1`,
    blob: `/v2/tokens.test/${repository}/blobs/${digestOf(layer)}`,
  };
}

async function ask(proxy: string, path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${proxy}${path}`, { headers });
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, taskId: response.headers.get("x-dragonfly-task-id"), body };
}

describe("tokens of a registry", () => {
  test(
    "are fetched for clients that do not know where they come from",
    async () => {
      const { manifest, blob } = serveTokens("public", (authorization) => authorization === undefined);
      expect((await ask(one, manifest)).status).toBe(200);
      const pulled = await ask(one, blob);
      expect([pulled.status, pulled.body.equals(layer)]).toEqual([200, true]);
      expect(pulled.taskId).toMatch(/^[0-9a-f]{64}$/);
    },
    TIMEOUT_MS,
  );

  test(
    "are those of the client that asks: what one may read, the next may not",
    async () => {
      const { manifest, blob } = serveTokens("private", (authorization) => authorization === MEMBER);
      expect((await ask(one, manifest)).status).toBe(401);
      expect((await ask(one, manifest, { authorization: MEMBER })).status).toBe(200);
      const pulled = await ask(one, blob, { authorization: MEMBER });
      expect([pulled.status, pulled.body.equals(layer)]).toEqual([200, true]);
      for (const authorization of [undefined, "Basic Og==", "Basic d3Jvbmc6d3Jvbmc=", "Bearer guessed"]) {
        const refused = await ask(one, blob, authorization === undefined ? {} : { authorization });
        expect([authorization, refused.status, refused.body.equals(layer)]).toEqual([authorization, 403, false]);
      }
    },
    TIMEOUT_MS,
  );
});

test(
  "a registry, and the tokens for it, may be under a certificate of one's own authority",
  async () => {
    const authority = await createAuthority("an authority of the test", Date.now());
    const ca = join(cluster.folder, "registry-ca.pem");
    await writeFile(ca, authority.certificate);
    const { certificate, key } = await (await CertificateAuthority.load(authority)).certify("localhost", Date.now());
    const server = createServer({ key, cert: certificate }, ({ headers, url }, response) => {
      if (url?.startsWith("/token")) response.writeHead(200).end('{"token":"good"}');
      else if (headers.authorization === "Bearer good") response.writeHead(200).end("{}");
      else response.writeHead(401, { "www-authenticate": `Bearer realm="https://${headers.host}/token"` }).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const host = `localhost:${(server.address() as AddressInfo).port}`;
    try {
      const registries = [{ host, url: `https://${host}`, certs: [ca] }];
      const block = { registries, upstreams: { allow: ["localhost"] } };
      const proxy = await proxyOf(await joinProxy(cluster, "own-authority", block));
      expect((await ask(proxy, `/v2/${host}/demo/manifests/v1`)).status).toBe(200);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  },
  TIMEOUT_MS,
);

describe("a registry that lies", () => {
  test(
    "gives nobody a part of a layer of wrong bytes that are all here: the registry that is asked gives it",
    async () => {
      const [wrong, right] = [randomBytes(300_000), randomBytes(300_000)];
      const path = `/v2/parts/blobs/${digestOf(right)}`;
      origin.file(`/lies${path}`, wrong);
      origin.file(path, right);
      const lies = await ask(one, path, { "x-dragonfly-registry": `${origin.url}/lies`, range: "bytes=0-299998" });
      expect([lies.status, lies.body.equals(wrong.subarray(0, -1))]).toEqual([206, true]);
      await ask(one, path, { "x-dragonfly-registry": `${origin.url}/lies`, range: "bytes=299999-" });
      const told = await ask(one, path, { "x-dragonfly-registry": origin.url, range: "bytes=10-19" });
      expect([told.status, told.body.equals(right.subarray(10, 20)), told.taskId]).toEqual([206, true, null]);
    },
    TIMEOUT_MS,
  );

  test(
    "gives nobody a whole layer of wrong bytes as if they were right, and what it gave is not kept",
    async () => {
      const wrong = randomBytes(1_000_000);
      const promised = digestOf(randomBytes(10));
      const path = `/v2/lies/blobs/${promised}`;
      origin.file(path, wrong);
      const { exitCode } = await run([
        "curl",
        "-sS",
        "-H",
        `X-Dragonfly-Registry: ${origin.url}`,
        "-o",
        "/dev/null",
        `${one}${path}`,
      ]);
      expect([18, 56]).toContain(exitCode);
      await until("the wrong bytes are gone", async () => {
        const { items } = await cluster.peer(0).local<{ items: { version: string }[] }>("/v1/tasks");
        return !items.some(({ version }) => version.includes(promised));
      });
    },
    TIMEOUT_MS,
  );
});

test(
  "a client that names content by the digest of a layer neither reads the layer by that, nor takes its place",
  async () => {
    const content = randomBytes(500_000);
    const path = `/v2/team/named/blobs/${digestOf(content)}`;
    origin.file(path, content);
    const url = origin.file("/others.bin", randomBytes(content.length));
    const registry = { "x-dragonfly-registry": origin.url };
    const named = ["-H", "X-Dragonfly-Use-P2P: true"];
    named.push("-H", `X-Dragonfly-Content-For-Calculating-Task-ID: ${digestOf(content)}`);
    const other = await curl(one, url, ...named);
    const layerReply = await ask(one, path, registry);
    expect([layerReply.status, layerReply.body.equals(content)]).toEqual([200, true]);
    expect(layerReply.taskId).not.toBe(other.headers.get("x-dragonfly-task-id"));
    expect((await curl(two, url, ...named)).body.equals(other.body)).toBe(true);
  },
  TIMEOUT_MS,
);

describe("a rule for blobs", () => {
  test(
    "names them by their digest when they come through the proxy, too, and follows their redirects",
    async () => {
      const content = randomBytes(700_000);
      const elsewhere = origin.file("/cdn/anything", content, { etag: 'W/"weak"' });
      const path = `/v2/team/demo/blobs/${digestOf(content)}`;
      const url = origin.on(path, (_request, response) =>
        response.writeHead(307, { location: `${elsewhere}?token=1` }).end(),
      );
      const proxy = await proxyOf(
        await joinProxy(cluster, "three", { rules: [{ regx: "blobs/sha256.*" }], upstreams: LOOPBACK }),
      );
      const answer = await curl(proxy, url);
      expect([answer.status, answer.body.equals(content)]).toEqual([200, true]);
      expect(answer.headers.get("x-dragonfly-task-id")).toMatch(/^[0-9a-f]{64}$/);
      const mirrored = await fetch(`${two}${path}`, { headers: { "x-dragonfly-registry": origin.url } });
      expect(Buffer.from(await mirrored.arrayBuffer()).equals(content)).toBe(true);
      expect(mirrored.headers.get("x-dragonfly-task-id")).toBe(answer.headers.get("x-dragonfly-task-id"));
    },
    TIMEOUT_MS,
  );
});
