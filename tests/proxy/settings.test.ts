import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CertificateAuthority, createAuthority } from "../../peer/proxy/certificate-authority.ts";
import { TestCluster } from "../e2e/test-cluster.ts";
import { freePort, until } from "../fixtures/daemon.ts";
import { HttpOrigin } from "./http-origin.ts";
import { curl, joinProxy, LOOPBACK, proxyOf, run } from "./proxy-cluster.ts";

const TIMEOUT_MS = 120_000;

let cluster: TestCluster;
let origin: HttpOrigin;

beforeAll(async () => {
  origin = await HttpOrigin.start();
  cluster = await TestCluster.start({ peers: 0, seeds: 1 });
}, TIMEOUT_MS);

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
}, TIMEOUT_MS);

describe("settings of the proxy", () => {
  test(
    "count from the moment they are read again, and a seed reads what rules match",
    async () => {
      const content = randomBytes(2_500_000);
      const url = origin.file("/models/reloaded.bin", content);
      const peer = await joinProxy(cluster, "reloaded", { upstreams: LOOPBACK });
      const proxy = await proxyOf(peer);
      expect((await curl(proxy, url)).headers.get("x-dragonfly-task-id")).toBeNull();
      const block = { upstreams: LOOPBACK, rules: [{ regx: "/models/" }], dumpHTTPContent: true };
      await writeFile(join(cluster.folder, "reloaded.yaml"), JSON.stringify({ proxy: block }));
      peer.daemon.signal("SIGHUP");
      await until("the settings are read", () => peer.daemon.log().includes("settings.reloaded"), {
        daemon: peer.daemon,
      });
      expect(peer.daemon.log()).toContain("proxy.dumpHTTPContent means nothing here");
      const before = origin.bodyBytes;
      const answer = await curl(proxy, url);
      expect([answer.body.equals(content), answer.headers.get("x-dragonfly-task-id") === null]).toEqual([true, false]);
      expect(origin.bodyBytes - before).toBeWithin(content.length, content.length + 3);
      const seed = cluster.seeds[0];
      const { items } = (await seed?.local<{ items: { url: string }[] }>("/v1/tasks")) ?? { items: [] };
      expect(items.map((task) => task.url)).toContain(url);
    },
    TIMEOUT_MS,
  );

  test(
    "may have the proxy itself reached by TLS",
    async () => {
      const authority = await createAuthority("an authority of the test", Date.now());
      const signer = await CertificateAuthority.load(authority);
      const made = await signer.certify("127.0.0.1", Date.now());
      const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map((name) => join(cluster.folder, name)) as [
        string,
        string,
        string,
      ];
      await Promise.all([
        writeFile(ca, authority.certificate),
        writeFile(cert, made.certificate),
        writeFile(key, made.key),
      ]);
      const security = { insecure: false, cacert: "", cert, key };
      const proxy = await proxyOf(await joinProxy(cluster, "secured", { upstreams: LOOPBACK, security }));
      expect(proxy).toStartWith("https://");
      const url = origin.file("/secured", Buffer.from("secured"));
      const trusted = ["--proxy-cacert", ca];
      expect((await curl(proxy, url, ...trusted)).body.toString()).toBe("secured");
      expect((await curl(proxy, url, ...trusted, "-p")).body.toString()).toBe("secured");
      expect((await run(["curl", "-sS", "-x", proxy, url])).exitCode).toBe(60);
    },
    TIMEOUT_MS,
  );

  test(
    "say where it listens, by the file or by the flag; where it cannot, a peer that was told so does not start",
    async () => {
      const port = await freePort();
      const config = join(cluster.folder, "listens.yaml");
      await writeFile(config, JSON.stringify({ proxyListen: `127.0.0.1:${port}` }));
      const peer = await cluster.join("flagged", { args: ["--config", config] });
      // The flag goes before the file.
      expect(await proxyOf(peer)).not.toEndWith(`:${port}`);
      const taken = new URL(await proxyOf(peer)).port;
      const failed = cluster.join("late", { args: ["--proxy-listen", `127.0.0.1:${taken}`] });
      await expect(failed).rejects.toThrow("--proxy-listen or PANTALA_PROXY_LISTEN");
      const off = await cluster.join("off", { args: ["--proxy-listen", "off"] });
      expect((await off.status()).proxy).toBeNull();
    },
    TIMEOUT_MS,
  );
});
