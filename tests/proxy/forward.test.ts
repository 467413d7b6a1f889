import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { TestCluster } from "../e2e/test-cluster.ts";
import { HttpOrigin } from "./http-origin.ts";
import { curl, exchange, joinProxy, LOOPBACK, proxyOf, run } from "./proxy-cluster.ts";

const TIMEOUT_MS = 120_000;
const MIB = 1024 * 1024;

let cluster: TestCluster;
let origin: HttpOrigin;
let one: string;
let two: string;

beforeAll(async () => {
  origin = await HttpOrigin.start();
  const rules = [
    { regex: "/models/direct", direct: true },
    { regex: "^http://alias.test/", redirect: origin.host },
    { regex: "/models/" },
  ];
  cluster = await TestCluster.start({ peers: 0 });
  const peers = await Promise.all(
    ["one", "two"].map((name) => joinProxy(cluster, name, { rules, upstreams: LOOPBACK })),
  );
  [one = "", two = ""] = await Promise.all(peers.map(proxyOf));
}, TIMEOUT_MS);

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
}, TIMEOUT_MS);

describe("a URL that a rule matches", () => {
  test(
    "goes peer to peer: the source sends its bytes once, and what it says of them reaches every client",
    async () => {
      const content = randomBytes(3 * MIB + 7);
      const said = {
        "last-modified": "Sat, 21 Nov 2026 10:00:00 GMT",
        "content-disposition": "attachment",
        "x-own": "yes",
      };
      const url = origin.file("/models/shared.bin", content, said);
      const before = origin.bodyBytes;
      for (const proxy of [one, two, one]) {
        const { status, headers, body } = await curl(proxy, url);
        expect([status, body.equals(content)]).toEqual([200, true]);
        expect(Object.fromEntries(headers)).toMatchObject({
          ...said,
          "content-type": "application/x-model",
          etag: expect.any(String),
        });
        expect(headers.get("x-dragonfly-task-id")).toMatch(/^[0-9a-f]{64}$/);
        expect(headers.get("x-dragonfly-server-ip")).toBe("127.0.0.1");
      }
      expect((await curl(one, url)).headers.get("x-dragonfly-task-download-finished")).toBe("true");
      expect(origin.bodyBytes - before).toBe(content.length);
    },
    TIMEOUT_MS,
  );

  test(
    "tells at HEAD what it tells at GET, and fetches nothing for it",
    async () => {
      const url = origin.file("/models/head.bin", randomBytes(MIB), { "x-own": "yes" });
      const before = origin.bodyBytes;
      const early = (await curl(one, url, "-I")).headers;
      expect(origin.bodyBytes - before).toBe(0);
      expect(origin.asked("/models/head.bin").map(({ method }) => method)).toEqual(["HEAD"]);
      await curl(one, url);
      const [head, got] = [(await curl(one, url, "-I")).headers, (await curl(one, url)).headers];
      for (const headers of [early, head, got]) headers.delete("date");
      expect(Object.fromEntries(head)).toEqual(Object.fromEntries(got));
      early.set("x-dragonfly-task-download-finished", "true");
      expect(Object.fromEntries(early)).toEqual(Object.fromEntries(got));
    },
    TIMEOUT_MS,
  );

  test(
    "is answered in parts, and on conditions, as its source would",
    async () => {
      const content = randomBytes(MIB);
      const url = origin.file("/models/parts.bin", content, { "last-modified": "Sat, 21 Nov 2026 10:00:00 GMT" });
      const etag = (await curl(one, url, "-I")).headers.get("etag") ?? "";
      const table: [string[], number, Buffer | undefined][] = [
        [["-r", "0-0"], 206, content.subarray(0, 1)],
        [["-r", "1000-1999"], 206, content.subarray(1000, 2000)],
        [["-r", "-100"], 206, content.subarray(-100)],
        [["-r", `${MIB - 5}-`], 206, content.subarray(-5)],
        [["-r", `${MIB}-`], 416, undefined],
        [["-r", "0-1,5-6"], 200, content],
        [["-r", "0-9", "-H", `If-Range: ${etag}`], 206, content.subarray(0, 10)],
        [["-r", "0-9", "-H", 'If-Range: "other"'], 200, content],
        [["-r", "0-9", "-H", "If-Range: Sat, 21 Nov 2026 10:00:00 GMT"], 206, content.subarray(0, 10)],
        [["-H", `If-None-Match: ${etag}`], 304, Buffer.alloc(0)],
        [["-H", `If-None-Match: W/${etag}`], 304, Buffer.alloc(0)],
        [["-H", 'If-None-Match: "other"'], 200, content],
        [["-H", "If-Modified-Since: Sat, 21 Nov 2026 10:00:00 GMT"], 304, Buffer.alloc(0)],
        [["-H", 'If-Match: "other"'], 412, undefined],
        [["-I"], 200, Buffer.alloc(0)],
      ];
      for (const [args, status, body] of table) {
        const answer = await curl(one, url, ...args);
        expect({ args, status: answer.status }).toEqual({ args, status });
        if (body !== undefined) expect({ args, equal: answer.body.equals(body) }).toEqual({ args, equal: true });
      }
      const head = await curl(one, url, "-I");
      expect([head.headers.get("content-length"), head.headers.get("accept-ranges")]).toEqual([String(MIB), "bytes"]);
    },
    TIMEOUT_MS,
  );

  test(
    "is resumed by curl where it broke off",
    async () => {
      const content = randomBytes(2 * MIB);
      const url = origin.file("/models/resumed.bin", content);
      const output = join(cluster.folder, "resumed.bin");
      await writeFile(output, content.subarray(0, 700_000));
      const { exitCode } = await run(["curl", "-sS", "-C", "-", "-x", one, "-o", output, url]);
      expect([exitCode, content.equals(await readFile(output))]).toEqual([0, true]);
    },
    TIMEOUT_MS,
  );

  test(
    "is another task when it changes, and is refused to whom the source refuses it, whatever is here",
    async () => {
      const first = randomBytes(300_000);
      const second = randomBytes(300_000);
      const url = origin.file("/models/changing.bin", first);
      expect((await curl(one, url)).body.equals(first)).toBe(true);
      origin.file("/models/changing.bin", second);
      expect((await curl(one, url)).body.equals(second)).toBe(true);
      origin.file("/models/changing.bin", second, {}, () => false);
      const refused = await curl(one, url);
      expect([refused.status, refused.body.toString()]).toEqual([403, "no\n"]);
      expect(refused.headers.get("x-dragonfly-error-type")).toBe("backend");
    },
    TIMEOUT_MS,
  );
});

describe("a rule", () => {
  test(
    "may send requests elsewhere, or leave alone what a later one would match",
    async () => {
      const content = randomBytes(100_000);
      origin.file("/anywhere", content);
      const sent = await curl(one, "http://alias.test/anywhere");
      expect([sent.status, sent.body.equals(content)]).toEqual([200, true]);
      expect(sent.headers.get("x-dragonfly-task-id")).toMatch(/^[0-9a-f]{64}$/);
      const direct = await curl(one, origin.file("/models/direct.bin", content));
      expect([direct.body.equals(content), direct.headers.get("x-dragonfly-task-id")]).toEqual([true, null]);
    },
    TIMEOUT_MS,
  );
});

describe("what may not be shared", () => {
  const SECRET = Buffer.from("the content of one user alone");
  const headersOfReply: [string, Record<string, string>][] = [
    ["private", { "cache-control": "private" }],
    ["no-store", { "cache-control": "no-store" }],
    ["set-cookie", { "set-cookie": "session=1" }],
    ["vary", { vary: "X-User" }],
    ["weak", { etag: 'W/"1"' }],
  ];
  for (const [name, headers] of headersOfReply) {
    test(
      `goes straight through: a reply with ${Object.entries(headers)[0]?.join(": ")}`,
      async () => {
        const url = origin.file(`/models/${name}`, SECRET, headers);
        for (const proxy of [one, one, two]) {
          const { status, headers: got, body } = await curl(proxy, url);
          expect([status, body.equals(SECRET), got.get("x-dragonfly-task-id")]).toEqual([200, true, null]);
        }
        expect(origin.asked(`/models/${name}`).filter(({ method }) => method === "GET").length).toBeGreaterThanOrEqual(
          3,
        );
        const tasks = await Promise.all(
          cluster.peers.map((peer) => peer.local<{ items: { url: string }[] }>("/v1/tasks")),
        );
        expect(tasks.flatMap(({ items }) => items).filter((task) => task.url.endsWith(`/${name}`))).toEqual([]);
      },
      TIMEOUT_MS,
    );
  }

  test(
    "is named with its reason in the log of a peer that is to tell everything",
    async () => {
      const config = join(cluster.folder, "talkative.yaml");
      await writeFile(config, JSON.stringify({ proxy: { rules: [{ regex: "/models/" }], upstreams: LOOPBACK } }));
      const peer = await cluster.join("talkative", { args: ["--config", config, "--log-level", "debug"] });
      const proxy = await proxyOf(peer);
      await curl(proxy, `${origin.file("/models/told", SECRET, { "cache-control": "private" })}?token=secret`);
      await curl(proxy, origin.file("/unruled", SECRET));
      const told = peer.daemon
        .log()
        .split("\n")
        .filter((line) => line.includes("proxy.straight-through"));
      expect(told).toEqual([expect.stringMatching(/url=\S+\/models\/told\S* reason="it is private"$/)]);
      expect(told.join()).not.toContain("secret");
    },
    TIMEOUT_MS,
  );

  const requests: [string, string[]][] = [
    ["cookies", ["-b", "session=1"]],
    ["credentials", ["-H", "Authorization: Bearer one"]],
    ["a password", ["-u", "user:password"]],
    ["a token of its own kind", ["-H", "Private-Token: one"]],
    ["signed headers", ["-H", "Authorization: AWS4-HMAC-SHA256 Credential=a"]],
    ["no-store", ["-H", "Cache-Control: no-store"]],
    ["a body", ["-X", "GET", "-d", "query"]],
    ["a wish for another protocol", ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket"]],
  ];
  for (const [name, args] of requests) {
    test(
      `goes straight through: a request with ${name}`,
      async () => {
        const path = `/models/with-${name.replaceAll(" ", "-")}`;
        const url = origin.file(path, SECRET);
        const { status, headers, body } = await curl(one, url, ...args);
        expect([status, body.equals(SECRET), headers.get("x-dragonfly-task-id")]).toEqual([200, true, null]);
      },
      TIMEOUT_MS,
    );
  }

  test(
    "is content for credentials that does not say it is for all; what says so is shared with whoever may read it",
    async () => {
      const allow = (request: { headers: Record<string, unknown> }) =>
        /^Bearer (one|two)$/.test(String(request.headers.authorization));
      const content = randomBytes(200_000);
      const url = origin.file("/models/for-all.bin", content, { "cache-control": "public" }, allow);
      const before = origin.bodyBytes;
      expect((await curl(one, url, "-H", "Authorization: Bearer one")).body.equals(content)).toBe(true);
      expect((await curl(two, url, "-H", "Authorization: Bearer two")).body.equals(content)).toBe(true);
      expect(origin.bodyBytes - before).toBe(content.length);
      for (const proxy of [one, two]) {
        expect((await curl(proxy, url, "-H", "Authorization: Bearer three")).status).toBe(403);
        expect((await curl(proxy, url)).status).toBe(403);
      }
    },
    TIMEOUT_MS,
  );

  test(
    "comes with the status it has: redirects and errors are the client's to see",
    async () => {
      const target = origin.file("/models/target", SECRET);
      const url = origin.on("/models/moved", (_request, response) =>
        response.writeHead(302, { location: target, "x-linked": "1" }).end(),
      );
      const moved = await curl(one, url);
      expect([moved.status, moved.headers.get("location"), moved.headers.get("x-linked")]).toEqual([302, target, "1"]);
      const broken = origin.on("/models/broken", (_request, response) =>
        response.writeHead(503, { "retry-after": "7" }).end("later"),
      );
      const answer = await curl(one, broken);
      expect([answer.status, answer.headers.get("retry-after"), answer.body.toString()]).toEqual([503, "7", "later"]);
      expect((await curl(one, `${origin.url}/models/nothing`)).status).toBe(404);
    },
    TIMEOUT_MS,
  );
});

describe("what no rule matches", () => {
  test(
    "passes as it is: method, target, headers, body, trailers, status and reason",
    async () => {
      origin.on("/api", (request, response) => {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          response.sendDate = false;
          response.writeHead(207, "Many Things", [
            "X-Reply",
            "a",
            "x-reply",
            "b",
            "Trailer",
            "X-Sum",
            "Content-Type",
            "text/Odd",
          ]);
          response.write(JSON.stringify({ trailers: request.rawTrailers }));
          response.addTrailers({ "X-Sum": "7" });
          response.end(Buffer.concat(chunks));
        });
      });
      const answer = await exchange(
        one,
        `REPORT ${origin.url}/api?a=%2e%2E/../b&&c=+ HTTP/1.1\r\nHost: ${origin.host}\r\nX-OwN: 1\r\nx-own: 2\r\n` +
          "Connection: close, X-Hop\r\nX-Hop: mine\r\nProxy-Connection: close\r\nX-Dragonfly-Tag: t\r\nTE: trailers\r\n" +
          "Transfer-Encoding: chunked\r\nTrailer: X-Mine\r\n\r\n4\r\nbody\r\n0\r\nX-Mine: yes\r\n\r\n",
      );
      const [asked] = origin.asked("/api");
      expect(asked?.method).toBe("REPORT");
      expect(asked?.target).toBe("/api?a=%2e%2E/../b&&c=+");
      const pairs =
        asked?.rawHeaders.flatMap((name, at, all) => (at % 2 === 0 ? [`${name}: ${all[at + 1]}`] : [])) ?? [];
      expect(pairs).toContain("X-OwN: 1");
      expect(pairs).toContain("x-own: 2");
      expect(pairs.filter((pair) => /hop|proxy|dragonfly/i.test(pair))).toEqual([]);
      expect(answer).toStartWith("HTTP/1.1 207 Many Things\r\n");
      // node:http writes repeated names as the first was written.
      expect(answer).toContain("\r\nX-Reply: a\r\nX-Reply: b\r\n");
      expect(answer).toContain("text/Odd");
      expect(answer).toContain('{"trailers":["X-Mine","yes"]}');
      expect(answer).toContain("body");
      expect(answer).toEndWith("0\r\nX-Sum: 7\r\n\r\n");
    },
    TIMEOUT_MS,
  );

  test(
    "comes without trailers where the client is of HTTP/1.0",
    async () => {
      origin.on("/trailers", (_request, response) => {
        response.writeHead(200, { trailer: "X-Sum" });
        response.write("body");
        response.addTrailers({ "X-Sum": "7" });
        response.end();
      });
      const answer = await exchange(one, `GET ${origin.url}/trailers HTTP/1.0\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nbody$/);
      expect(answer).not.toMatch(/trailer|chunked/i);
    },
    TIMEOUT_MS,
  );

  test(
    "is not decoded, cut, or taken for whole when it is not",
    async () => {
      const encoded = Buffer.from("not really gzip");
      origin.on("/encoded", (_request, response) =>
        response.writeHead(200, { "content-encoding": "gzip" }).end(encoded),
      );
      const { headers, body } = await curl(one, `${origin.url}/encoded`);
      expect([headers.get("content-encoding"), body.equals(encoded)]).toEqual(["gzip", true]);
      origin.on("/broken", (_request, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("half");
        setImmediate(() => response.destroy());
      });
      const { exitCode } = await run(["curl", "-sS", "-x", one, `${origin.url}/broken`]);
      expect([18, 56]).toContain(exitCode);
    },
    TIMEOUT_MS,
  );

  test(
    "goes through CONNECT unseen, byte for byte, both ways",
    async () => {
      const content = randomBytes(2 * MIB);
      const url = origin.file("/models/tunnelled.bin", content);
      const { status, body, headers } = await curl(one, url, "-p");
      expect([status, body.equals(content), headers.get("via")]).toEqual([200, true, null]);
    },
    TIMEOUT_MS,
  );

  test(
    "can go by a connection that is kept, one request after the other",
    async () => {
      const url = origin.file("/kept", Buffer.from("kept"));
      const { stderr } = await run(["curl", "-sSv", "-x", one, url, url, `${origin.url}/models/nothing`]);
      expect(stderr.match(/Connected to/g)?.length).toBe(1);
      expect(stderr.match(/< HTTP\/1.1/g)?.length).toBe(3);
    },
    TIMEOUT_MS,
  );

  test(
    "is asked once more when a kept connection turns out to be closed, but only what does nothing twice",
    async () => {
      const asked: string[] = [];
      const server = createServer((socket) => {
        let count = 0;
        socket.on("error", () => socket.destroy());
        socket.on("data", (bytes: Buffer) => {
          asked.push(bytes.toString("latin1").split("\r\n")[0] ?? "");
          if (++count === 1) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
          else socket.resetAndDestroy();
        });
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      expect((await curl(one, `${url}/first`)).status).toBe(200);
      expect((await curl(one, `${url}/second`)).status).toBe(200);
      expect(asked).toEqual(["GET /first HTTP/1.1", "GET /second HTTP/1.1", "GET /second HTTP/1.1"]);
      expect((await curl(one, `${url}/third`, "-X", "POST")).status).toBe(502);
      expect((await curl(one, `${url}/fourth`, "-d", "body")).status).toBe(200);
      expect(asked.slice(3)).toEqual(["POST /third HTTP/1.1", "POST /fourth HTTP/1.1"]);
      for (const user of ["one", "two"]) {
        expect((await curl(one, `${url}/${user}`, "-H", `Authorization: Negotiate ${user}`)).status).toBe(200);
      }
      server.close();
    },
    TIMEOUT_MS,
  );
});
