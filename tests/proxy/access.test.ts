import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile, stat } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { TestCluster } from "../e2e/test-cluster.ts";
import { until } from "../fixtures/daemon.ts";
import { HttpOrigin } from "./http-origin.ts";
import { curl, exchange, joinProxy, LOOPBACK, proxyOf, run } from "./proxy-cluster.ts";

const TIMEOUT_MS = 120_000;

let cluster: TestCluster;
let origin: HttpOrigin;

async function proxyWith(name: string, block: unknown): Promise<string> {
  return await proxyOf(await joinProxy(cluster, name, block));
}

beforeAll(async () => {
  origin = await HttpOrigin.start();
  cluster = await TestCluster.start({ peers: 0 });
}, TIMEOUT_MS);

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
}, TIMEOUT_MS);

describe("a proxy with users", () => {
  test(
    "asks who it is, never by Authorization, and says nothing of it to the source",
    async () => {
      const users = [
        { username: "one", password: "first secret" },
        { username: "two", password: "second" },
      ];
      const proxy = await proxyWith("users", { users, rules: [{ regex: "/models/" }], upstreams: LOOPBACK });
      const url = origin.file("/models/guarded.bin", randomBytes(1000));
      for (const args of [
        [],
        ["-U", "one:second"],
        ["-U", "one:first secret "],
        ["-H", "Proxy-Authorization: x"],
        ["-u", "one:first secret"],
      ]) {
        const refused = await curl(proxy, url, ...args);
        expect([args, refused.status]).toEqual([args, 407]);
        expect(refused.headers.get("proxy-authenticate")).toContain("Basic");
        expect(refused.headers.get("x-dragonfly-error-type")).toBe("proxy");
      }
      expect((await curl(proxy, url, "-U", "two:second")).status).toBe(200);
      expect((await curl(proxy, url, "-U", "one:first secret", "-u", "source:password")).status).toBe(200);
      expect((await curl(proxy, url, "-U", "two:second", "-p")).status).toBe(200);
      expect((await run(["curl", "-sS", "-p", "-x", proxy, url])).exitCode).toBe(56);
      const sent = origin.asked("/models/guarded.bin").flatMap(({ rawHeaders }) => rawHeaders);
      expect(sent.filter((text) => /proxy-authorization/i.test(text))).toEqual([]);
      expect(sent).toContain(`Basic ${Buffer.from("source:password").toString("base64")}`);
      expect(cluster.peers.at(-1)?.daemon.log()).not.toContain("secret");
    },
    TIMEOUT_MS,
  );
});

describe("a proxy without settings", () => {
  test(
    "keeps away from this machine, its link and its cloud, and from itself",
    async () => {
      const proxy = await proxyWith("plain", {});
      for (const target of [
        origin.url,
        "http://localhost:1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]:1/",
        "http://0.0.0.0:1/",
        "http://[::ffff:127.0.0.1]:1/",
        "http://100.100.100.200/",
        "http://2130706433/",
      ]) {
        const refused = await curl(proxy, target);
        expect([target, refused.status, refused.headers.get("x-dragonfly-error-type")]).toEqual([target, 403, "proxy"]);
        expect(refused.body.toString()).toContain("proxy.upstreams.allow");
      }
      expect(await exchange(proxy, `CONNECT ${origin.host} HTTP/1.1\r\nHost: ${origin.host}\r\n\r\n`)).toStartWith(
        "HTTP/1.1 403 ",
      );
      expect((await curl(proxy, proxy)).status).toBe(508);
      expect((await curl(proxy, "http://nowhere.invalid/")).status).toBe(502);
    },
    TIMEOUT_MS,
  );
});

describe("a proxy that is told whom it may reach", () => {
  test(
    "reaches those and no others",
    async () => {
      const port = Number(new URL(origin.url).port);
      const upstreams = { ...LOOPBACK, deny: ["127.0.0.2", "*.denied.test", "10.0.0.0/8"], ports: [port, 80] };
      const proxy = await proxyWith("lists", { upstreams });
      const url = origin.file("/open", Buffer.from("open"));
      expect((await curl(proxy, url)).status).toBe(200);
      const refused = [`http://127.0.0.2:${port}/`, "http://127.0.0.1:1/", "http://10.1.2.3/"];
      for (const target of refused) expect([target, (await curl(proxy, target)).status]).toEqual([target, 403]);
      const closed = await proxyWith("only", { upstreams: { ...LOOPBACK, only: ["127.0.0.3"] } });
      expect((await curl(closed, url)).status).toBe(403);
    },
    TIMEOUT_MS,
  );

  test(
    "tells of circles, whichever way they go",
    async () => {
      const proxy = await proxyWith("circle", { upstreams: LOOPBACK });
      const url = origin.file("/circle", Buffer.from("round"));
      await curl(proxy, url);
      const via = origin.asked("/circle")[0]?.rawHeaders ?? [];
      const name = via[via.indexOf("Via") + 1] ?? "";
      expect(name).toStartWith("1.1 pantala-");
      const refused = await curl(proxy, url, "-H", `Via: 1.0 other, ${name}`);
      expect([refused.status, refused.body.toString()]).toEqual([508, expect.stringContaining("circles")]);
    },
    TIMEOUT_MS,
  );
});

describe("limits", () => {
  test(
    "on requests a second are told with the time to come again",
    async () => {
      const proxy = await proxyWith("rate", { upstreams: LOOPBACK, requestRate: 4 });
      const url = origin.file("/rated", Buffer.from("rated"));
      expect((await curl(proxy, url)).status).toBe(200);
      const answers = await Promise.all(
        Array.from({ length: 20 }, () =>
          exchange(proxy, `GET ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`),
        ),
      );
      const refused = answers.filter((answer) => answer.startsWith("HTTP/1.1 429 "));
      expect(refused.length).toBeGreaterThan(0);
      expect(refused[0]).toMatch(/\r\nRetry-After: 1\r\n/);
    },
    TIMEOUT_MS,
  );

  test(
    "on connections close what comes beyond, tunnels included, and let others in when one has gone",
    async () => {
      const proxy = await proxyWith("few", { upstreams: LOOPBACK, maxConnections: 2 });
      const url = origin.file("/few", Buffer.from("few"));
      const { hostname, port } = new URL(proxy);
      const open = async () => {
        const socket = connect(Number(port), hostname);
        await once(socket, "connect");
        socket.write(`CONNECT ${origin.host} HTTP/1.1\r\nHost: ${origin.host}\r\n\r\n`);
        const [answer] = (await once(socket, "data")) as [Buffer];
        expect(answer.toString()).toStartWith("HTTP/1.1 200 ");
        return socket;
      };
      const [first, second] = [await open(), await open()];
      expect((await run(["curl", "-sS", "-x", proxy, url])).exitCode).not.toBe(0);
      first.destroy();
      await until("there is room", async () => (await run(["curl", "-sS", "-x", proxy, url])).exitCode === 0);
      second.destroy();
    },
    TIMEOUT_MS,
  );

  test(
    "on headers are told, and odd requests are refused before anything is asked of anybody",
    async () => {
      const proxy = await proxyWith("odd", { upstreams: LOOPBACK });
      const { host } = origin;
      origin.file("/odd", Buffer.from("odd"));
      const line = (target: string, method = "GET") =>
        `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      const table: [string, string][] = [
        [`GET http://${host}/odd HTTP/1.1\r\nHost: ${host}\r\nX-Long: ${"a".repeat(70_000)}\r\n\r\n`, "431"],
        [`GET http://${host}/odd HTTP/1.1\r\nConnection: close\r\n\r\n`, "400"],
        [`GET http://${host}/odd HTTP/1.1\r\nHost: ${host}\r\nHost: a\r\nConnection: close\r\n\r\n`, "400"],
        [`CONNECT ${host} HTTP/1.1\r\n\r\n`, "400"],
        [line(`ftp://${host}/odd`), "400"],
        [line(`http://user:password@${host}/odd`), "400"],
        [line("http:///odd"), "400"],
        [line(`http://${host}:99999/odd`), "400"],
        [line(`http://${host}/o dd`), "400"],
        [line(`http://${host}/ö`), "400"],
        [line("odd"), "400"],
        [line("/odd"), "404"],
        [line(host.replace(/:.*/, ""), "CONNECT"), "400"],
        [line(`${host}/odd`, "CONNECT"), "400"],
        [line("127.0.0.1:0", "CONNECT"), "400"],
        ["GARBAGE\r\n\r\n", "400"],
        ["\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001", "400"],
        [
          `POST http://${host}/odd HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
          "400",
        ],
        [
          `POST http://${host}/odd HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef`,
          "400",
        ],
        [
          `POST http://${host}/odd HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
          "501",
        ],
        [`GET http://${host}/odd HTTP/1.1\r\nHost: ${host}\r\nX : y\r\n\r\n`, "400"],
        [`GET http://${host}/odd HTTP/1.1\r\nHost: ${host}\r\n folded\r\n\r\n`, "400"],
        [
          `GET http://${host}/odd HTTP/1.1\r\nHost: ${host}\r\nX-Dragonfly-Piece-Length: 1\r\nConnection: close\r\n\r\n`,
          "400",
        ],
        [
          `GET http://${host}/odd HTTP/1.1\r\nHost: ${host}\r\nX-Dragonfly-Priority: 1\r\nConnection: close\r\n\r\n`,
          "403",
        ],
        [`GET /v2/ HTTP/1.1\r\nHost: ${host}\r\nX-Dragonfly-Registry: ://\r\nConnection: close\r\n\r\n`, "400"],
      ];
      for (const [text, status] of table) {
        const answer = await exchange(proxy, Buffer.from(text, "utf8").toString("latin1"));
        expect([text.slice(0, 100), answer.split(" ")[1]]).toEqual([text.slice(0, 100), status]);
        expect(answer).toContain("X-Dragonfly-Error-Type: proxy");
        expect(answer.split("\r\n\r\n")[1]?.length).toBeGreaterThan(0);
      }
      expect(origin.asked("/odd")).toEqual([]);
      const fine = [
        line(`HTTP://${host}/odd`),
        line(`http://${host}/odd#part`),
        `GET http://${host}/odd HTTP/1.0\r\n\r\n`,
        `GET http://${host}/odd HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n`,
      ];
      for (const text of fine) expect(await exchange(proxy, text)).toMatch(/^HTTP\/1\.1 200 [\s\S]*odd$/);
      const hosts = origin.asked("/odd").map(({ rawHeaders }) => rawHeaders[rawHeaders.indexOf("Host") + 1]);
      expect(new Set(hosts)).toEqual(new Set([host]));
    },
    TIMEOUT_MS,
  );
});

describe("X-Dragonfly headers", () => {
  test(
    "say what becomes of a request",
    async () => {
      const outputs = join(cluster.folder, "outputs");
      await mkdir(outputs);
      const proxy = await proxyWith("headers", { upstreams: LOOPBACK, outputFolders: [outputs] });
      const peer = cluster.peers.at(-1);
      const content = randomBytes(3_000_000);
      const url = origin.file("/any.bin", content);
      const idOf = async (...args: string[]) => {
        const { status, headers } = await curl(
          proxy,
          args.find((arg) => arg.startsWith("http://")) ?? url,
          "-H",
          "X-Dragonfly-Use-P2P: true",
          ...args.filter((arg) => !arg.startsWith("http://")),
        );
        expect([args, status]).toEqual([args, args.includes("-r") ? 206 : 200]);
        return headers.get("x-dragonfly-task-id");
      };
      expect((await curl(proxy, url)).headers.get("x-dragonfly-task-id")).toBeNull();
      const plain = await idOf();
      expect(plain).not.toBeNull();
      expect(await idOf("-H", "X-Dragonfly-Tag: t")).not.toBe(plain);
      expect(await idOf("-H", "X-Dragonfly-Application: a")).not.toBe(plain);
      expect(await idOf("-H", "X-Dragonfly-Piece-Length: 4MiB")).not.toBe(plain);
      expect(await idOf("-H", "X-Dragonfly-Priority: 6")).toBe(plain);
      const signed = (query: string, ...headers: string[]) =>
        idOf(`${url}?${query}`, ...headers.flatMap((header) => ["-H", header]));
      expect(await signed("a=1", "X-Dragonfly-Filter: b&a")).toBe(plain);
      expect(await signed("a=1&b=2", "X-Dragonfly-Filtered-Query-Params: a, b")).toBe(plain);
      expect(await signed("c=1", "X-Dragonfly-Filter: a&b")).not.toBe(plain);
      const named = "X-Dragonfly-Content-For-Calculating-Task-ID: the-model";
      expect(await signed("x=1", named)).toBe(await signed("y=2", named));
      const secret = ["X-Dragonfly-Tag: secret", "Authorization: Bearer secret"];
      expect(await signed("x=1", named, ...secret)).not.toBe(await signed("y=2", named, ...secret));
      const signature = "X-Amz-Signature=0&X-Amz-SignedHeaders=host";
      expect(await signed(`x=1&${signature}`, named)).toBe(await signed("x=1"));
      const path = join(outputs, "any.bin");
      await idOf("-H", `X-Dragonfly-Output-Path: ${path}`, "-H", "X-Dragonfly-Force-Hard-Link: true");
      expect(content.equals(await readFile(path))).toBe(true);
      expect((await stat(path)).nlink).toBeGreaterThan(1);
      for (const elsewhere of ["/etc/pantala-test", `${outputs}/../x`, "relative"]) {
        const refused = await curl(
          proxy,
          url,
          "-H",
          "X-Dragonfly-Use-P2P: true",
          "-H",
          `X-Dragonfly-Output-Path: ${elsewhere}`,
        );
        expect([elsewhere, refused.status]).toEqual([elsewhere, elsewhere === "relative" ? 400 : 403]);
      }
      const prefetched = await idOf(
        "-r",
        "0-9",
        "-H",
        "X-Dragonfly-Prefetch: true",
        "-H",
        "X-Dragonfly-Tag: prefetched",
      );
      await until("the rest is here", async () => {
        const task = await peer?.local<{ state: string }>(`/v1/tasks/${prefetched}`);
        return task?.state === "complete";
      });
      const sent = origin.asked("/any.bin").flatMap(({ rawHeaders }) => rawHeaders);
      expect(sent.filter((text) => /^x-dragonfly/i.test(text))).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
