import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { CertificateAuthority, createAuthority } from "../../peer/proxy/certificate-authority.ts";
import { TestCluster } from "../e2e/test-cluster.ts";
import { pantala, type RunningPeer } from "../fixtures/cluster.ts";
import { type Curled, curl, joinProxy, LOOPBACK, proxyOf, run } from "./proxy-cluster.ts";

const TIMEOUT_MS = 120_000;

let cluster: TestCluster;
let peer: RunningPeer;
let proxy: string;
let source: Server;
let sourceCa: string;
let host: string;
const content = randomBytes(2_000_000);
const asked: string[] = [];

/** A web server with a certificate for `localhost`, of an authority that nobody knows. */
async function startSource(): Promise<void> {
  const authority = await createAuthority("an authority of the test", Date.now());
  sourceCa = join(cluster.folder, "source-ca.pem");
  await writeFile(sourceCa, authority.certificate);
  const signer = await CertificateAuthority.load(authority);
  const { certificate, key } = await signer.certify("localhost", Date.now());
  source = createServer({ key, cert: certificate }, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const headers = { etag: '"1"', "accept-ranges": "bytes", "content-length": String(content.length) };
    if (request.url === "/private") response.writeHead(200, { "cache-control": "private" }).end("private");
    else if (request.headers.range === undefined)
      response.writeHead(200, headers).end(request.method === "HEAD" ? undefined : content);
    else {
      const [, first = "0", last = "0"] = /bytes=(\d+)-(\d+)/.exec(request.headers.range) ?? [];
      const part = content.subarray(Number(first), Number(last) + 1);
      const place = {
        "content-length": String(part.length),
        "content-range": `bytes ${first}-${last}/${content.length}`,
      };
      response.writeHead(206, { ...headers, ...place }).end(part);
    }
  });
  source.listen(0, "127.0.0.1");
  await once(source, "listening");
  host = `localhost:${(source.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  cluster = await TestCluster.start({ peers: 0 });
  await startSource();
  const hosts = [{ regex: "^localhost$", certs: [sourceCa] }, { regex: "^untrusted" }, { regex: "^127" }];
  const rules = [{ regex: "/models/" }, { regex: "/tls/", useTLS: true }];
  const block = { rules, upstreams: LOOPBACK, interception: { hosts } };
  peer = await joinProxy(cluster, "interceptor", block);
  proxy = await proxyOf(peer);
}, TIMEOUT_MS);

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  source.closeAllConnections();
  source.close();
}, TIMEOUT_MS);

function throughTls(path: string, ca: string, ...args: string[]): Promise<Curled> {
  return curl(proxy, `https://${host}${path}`, "--cacert", ca, ...args);
}

describe("TLS interception", () => {
  test(
    "says what is missing as long as there is no authority",
    async () => {
      const refused = await run(["curl", "-sSv", "-x", proxy, `https://${host}/models/a`]);
      expect([refused.exitCode, refused.stderr]).toEqual([56, expect.stringContaining("HTTP/1.1 502")]);
      expect(refused.stderr).toContain("X-Dragonfly-Error-Type: proxy");
    },
    TIMEOUT_MS,
  );

  test(
    "opens tunnels to the hosts that are named, by an authority of its own that other programs verify",
    async () => {
      const made = await pantala(["ca", "create", "--data-dir", peer.folder]);
      expect([made.exitCode, made.stderr]).toEqual([0, ""]);
      const ca = join(peer.folder, "proxy-ca.pem");
      expect((await stat(join(peer.folder, "proxy-ca.key"))).mode & 0o777).toBe(0o600);
      expect((await pantala(["ca", "create", "--data-dir", peer.folder])).exitCode).toBe(8);
      const shown = await pantala(["ca", "show", "--data-dir", peer.folder]);
      const fingerprint = await run(["openssl", "x509", "-in", ca, "-noout", "-fingerprint", "-sha256"]);
      expect(shown.stdout).toContain(/=(\S+)/.exec(fingerprint.stdout.toString())?.[1] ?? "none");

      const whole = await throughTls("/models/a", ca);
      expect([whole.status, whole.body.equals(content)]).toEqual([200, true]);
      expect(whole.headers.get("x-dragonfly-task-id")).toMatch(/^[0-9a-f]{64}$/);
      const part = await throughTls("/models/a", ca, "-r", "5-9");
      expect([part.status, part.body.equals(content.subarray(5, 10))]).toEqual([206, true]);
      expect(asked.filter((line) => line === "GET /models/a").length).toBeLessThanOrEqual(16);
      const straight = await throughTls("/private", ca);
      expect([straight.status, straight.body.toString(), straight.headers.get("x-dragonfly-task-id")]).toEqual([
        200,
        "private",
        null,
      ]);

      const chain = `openssl s_client -connect ${host} -proxy ${proxy.slice("http://".length)} -servername localhost -CAfile ${ca} -verify_return_error -verify_hostname localhost -tls1_2 </dev/null`;
      const verified = await run(["sh", "-c", chain]);
      expect(verified.stdout.toString()).toContain("Verify return code: 0 (ok)");
      expect(verified.stdout.toString()).toContain("Protocol  : TLSv1.2");
    },
    TIMEOUT_MS,
  );

  test(
    "finds circles inside of its tunnels, too",
    async () => {
      const ca = join(peer.folder, "proxy-ca.pem");
      const via = (await throughTls("/models/a", ca)).headers.get("via") ?? "";
      expect(via).toStartWith("1.1 pantala-");
      const refused = await throughTls("/models/a", ca, "-H", `Via: ${via}`);
      expect([refused.status, refused.headers.get("x-dragonfly-error-type")]).toEqual([508, "proxy"]);
    },
    TIMEOUT_MS,
  );

  test(
    "is not needed where a rule has the source asked by TLS",
    async () => {
      const answer = await curl(proxy, `http://${host}/tls/a`);
      expect([answer.status, answer.body.equals(content)]).toEqual([200, true]);
      expect(answer.headers.get("x-dragonfly-task-id")).toMatch(/^[0-9a-f]{64}$/);
    },
    TIMEOUT_MS,
  );

  test(
    "verifies the source: one that nobody vouches for is not read",
    async () => {
      const ca = join(peer.folder, "proxy-ca.pem");
      const port = host.split(":")[1];
      const refused = await curl(proxy, `https://127.0.0.1:${port}/models/a`, "--cacert", ca);
      expect([refused.status, refused.headers.get("x-dragonfly-error-type")]).toEqual([502, "backend"]);
      expect(refused.body.toString()).toContain("certificate");
    },
    TIMEOUT_MS,
  );

  test(
    "takes a new authority at the next tunnel",
    async () => {
      const ca = join(peer.folder, "proxy-ca.pem");
      expect((await throughTls("/private", ca)).status).toBe(200);
      const made = await pantala(["ca", "create", "--force", "--data-dir", peer.folder]);
      expect(made.exitCode).toBe(0);
      expect((await throughTls("/private", ca)).status).toBe(200);
    },
    TIMEOUT_MS,
  );

  test(
    "leaves other hosts alone: their certificate is their own",
    async () => {
      const block = { upstreams: LOOPBACK, interception: { hosts: [{ regex: "^other.test$" }] } };
      const blind = await proxyOf(await joinProxy(cluster, "blind", block));
      const seen = await curl(blind, `https://${host}/private`, "--cacert", sourceCa);
      expect([seen.status, seen.headers.get("via")]).toEqual([200, null]);
    },
    TIMEOUT_MS,
  );
});
