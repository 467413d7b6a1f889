import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { AwsClient } from "aws4fetch";
import { XMLParser } from "fast-xml-parser";
import { type StoredFile, TestCluster } from "../e2e/test-cluster.ts";
import { until } from "../fixtures/daemon.ts";
import { CLERK, configOf, type GatewayPeer, gatewayUrl, joinWithGateway, READER } from "./gateway-peers.ts";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 120_000;
const BUCKETS = {
  models: "s3://bucket",
  open: { location: "s3://bucket/public", anonymous: true },
  gone: "s3://no-such-bucket",
};

let cluster: TestCluster;
let one: GatewayPeer;
let two: GatewayPeer;
let file: StoredFile;

beforeAll(async () => {
  cluster = await TestCluster.start({ peers: 0 });
  for (const folder of ["public", "list/b"]) {
    await mkdir(join(cluster.folder, "store/bucket", folder), { recursive: true });
  }
  file = await cluster.put("model.bin", 3 * MIB + 17);
  await cluster.put("public/readme.txt", 100);
  await cluster.put("public/empty", 0);
  for (const name of ["list/a", "list/b/1", "list/b/2", "list/c+d e"]) await cluster.put(name, 10);
  const common = { buckets: BUCKETS, store: cluster.storeOptions };
  [one, two] = await Promise.all([
    joinWithGateway(cluster, { ...common, name: "one", settings: { gatewayDomain: "s3.internal" } }),
    joinWithGateway(cluster, { ...common, name: "two", settings: { gatewayCache: 0 } }),
  ]);
}, TIMEOUT_MS);
afterAll(async () => await cluster[Symbol.asyncDispose]());

/** Asks a gateway with a signature. */
function ask(path: string, init: RequestInit = {}, keys = READER, gateway = one): Promise<Response> {
  const client = new AwsClient({ ...keys, service: "s3", region: "us-east-1", retries: 0 });
  return client.fetch(`${gateway.url}${path}`, init);
}

/** One that nobody listens at now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function errorOf(response: Response): Promise<Record<string, string>> {
  expect(response.headers.get("content-type")).toBe("application/xml");
  return new XMLParser({ parseTagValue: false }).parse(await response.text()).Error;
}

async function sha256Of(response: Response): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of response.body ?? []) hash.update(chunk);
  return hash.digest("hex");
}

describe("an object of the gateway", () => {
  test(
    "is read from the store once, whichever peers are asked and by whatever, and looks the same at each",
    async () => {
      const before = cluster.store.stats().bodyBytes;
      const first = await ask("/models/model.bin");
      const headersOf = ({ headers }: Response) =>
        ["etag", "last-modified", "content-length", "content-type", "accept-ranges"].map((name) => headers.get(name));
      expect(await sha256Of(first)).toBe(file.sha256);
      const second = await ask("/models/model.bin", {}, READER, two);
      expect(await sha256Of(second)).toBe(file.sha256);
      expect(cluster.store.stats().bodyBytes - before).toBe(file.sizeBytes);
      const got = await cluster.mustGet(two.peer, file);
      expect([got.sourceBytes, got.peerBytes]).toEqual([0, 0]);
      expect(cluster.store.stats().bodyBytes - before).toBe(file.sizeBytes);
      expect(headersOf(second)).toEqual(headersOf(first));
      expect(first.headers.get("etag")).toMatch(/^"[0-9a-f]{32}"$/);
      expect(first.headers.get("content-length")).toBe(String(file.sizeBytes));
    },
    TIMEOUT_MS,
  );

  test.each([
    ["bytes=0-9", "0-9"],
    ["bytes=1048570-2097160", "1048570-2097160"],
    ["bytes=3145740-", "3145740-3145744"],
    ["bytes=-5", "3145740-3145744"],
  ])("answers %s", async (range, part) => {
    const whole = new Uint8Array(await (await ask("/models/model.bin")).arrayBuffer());
    const response = await ask("/models/model.bin", { headers: { range } });
    expect([response.status, response.headers.get("content-range")]).toEqual([206, `bytes ${part}/${file.sizeBytes}`]);
    const [from = 0, to = 0] = part.split("-").map(Number);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(whole.slice(from, to + 1));
  });

  test("answers a range outside of it by 416, and several ranges by the whole", async () => {
    const outside = await ask("/models/model.bin", { headers: { range: `bytes=${file.sizeBytes}-` } });
    expect([outside.status, outside.headers.get("content-range")]).toEqual([416, `bytes */${file.sizeBytes}`]);
    expect(await errorOf(outside)).toMatchObject({ Code: "InvalidRange", ActualObjectSize: String(file.sizeBytes) });
    const several = await ask("/models/model.bin", { headers: { range: "bytes=0-1,5-6" } });
    expect([several.status, await sha256Of(several)]).toEqual([200, file.sha256]);
  });

  test("is one part, and has no other", async () => {
    const part = await ask("/models/model.bin?partNumber=1");
    expect([part.status, part.headers.get("content-range"), await sha256Of(part)]).toEqual([
      206,
      `bytes 0-${file.sizeBytes - 1}/${file.sizeBytes}`,
      file.sha256,
    ]);
    expect((await errorOf(await ask("/models/model.bin?partNumber=2"))).Code).toBe("InvalidPartNumber");
    expect((await errorOf(await ask("/models/model.bin?versionId="))).Code).toBe("InvalidArgument");
  });

  test("is stated by HEAD without a byte, with conditions", async () => {
    const head = await ask("/models/model.bin", { method: "HEAD" });
    const etag = head.headers.get("etag") ?? "";
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([
      200,
      String(file.sizeBytes),
      "",
    ]);
    const unchanged = await ask("/models/model.bin", { headers: { "if-none-match": etag } });
    expect([unchanged.status, unchanged.headers.get("etag")]).toEqual([304, etag]);
    const other = await ask("/models/model.bin", { headers: { "if-match": '"other"', range: "bytes=0-1" } });
    expect([other.status, await errorOf(other)]).toMatchObject([412, { Code: "PreconditionFailed" }]);
    expect((await ask("/models/nothing", { method: "HEAD" })).status).toBe(404);
  });

  test("is called otherwise when a signed request wants that, and only then", async () => {
    const wish = "response-content-type=text%2Fplain&response-content-disposition=attachment";
    const signed = await ask(`/open/readme.txt?${wish}`, { method: "HEAD" });
    expect([signed.headers.get("content-type"), signed.headers.get("content-disposition")]).toEqual([
      "text/plain",
      "attachment",
    ]);
    const unsigned = await fetch(`${one.url}/open/readme.txt?${wish}`);
    expect([unsigned.status, await errorOf(unsigned)]).toMatchObject([400, { Code: "InvalidRequest" }]);
    expect((await ask("/models/model.bin?response-expires=a%0D%0Ab")).status).toBe(400);
  });

  test("that was replaced is refused to those who want the old one, and read anew by the others", async () => {
    const old = await cluster.put("changing.bin", 2 * MIB);
    const first = await ask("/models/changing.bin", { headers: { range: "bytes=0-99" } });
    const etag = first.headers.get("etag") ?? "";
    await first.arrayBuffer();
    const fresh = await cluster.put("changing.bin", 2 * MIB);
    const refused = await ask(
      "/models/changing.bin",
      { headers: { range: "bytes=0-99", "if-match": etag } },
      READER,
      two,
    );
    expect([refused.status, await errorOf(refused)]).toMatchObject([412, { Code: "PreconditionFailed" }]);
    const whole = await ask("/models/changing.bin");
    expect(await sha256Of(whole)).toBe(fresh.sha256);
    expect(fresh.sha256).not.toBe(old.sha256);
    const newEtag = whole.headers.get("etag") ?? "";
    const part = await ask("/models/changing.bin", { headers: { range: "bytes=0-99", "if-match": newEtag } });
    expect([part.status, part.headers.get("etag")]).toEqual([206, newEtag]);
  });

  test("that is empty is complete at once", async () => {
    const empty = await fetch(`${one.url}/open/empty`);
    expect([empty.status, empty.headers.get("content-length"), await empty.text()]).toEqual([200, "0", ""]);
    expect((await fetch(`${one.url}/open/empty`, { headers: { range: "bytes=0-9" } })).status).toBe(416);
  });
});

test(
  "what nobody has yet is answered at once, and flows while it comes from the store",
  async () => {
    await using slow = await TestCluster.start({ peers: 0, storeRateBps: 2 * MIB });
    const large = await slow.put("large.bin", 6 * MIB);
    const gateway = await joinWithGateway(slow, { name: "one", buckets: BUCKETS, store: slow.storeOptions });
    const response = await ask("/models/large.bin", {}, READER, gateway);
    expect(response.headers.get("content-length")).toBe(String(large.sizeBytes));
    expect(slow.store.stats().bodyBytes).toBeLessThan(large.sizeBytes / 2);
    const hash = createHash("sha256");
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(slow.store.stats().bodyBytes).toBeLessThan(large.sizeBytes / 2);
    for (let next = first; next !== undefined && !next.done; next = await reader?.read()) hash.update(next.value);
    expect(hash.digest("hex")).toBe(large.sha256);
    expect(slow.store.stats().bodyBytes).toBe(large.sizeBytes);
  },
  TIMEOUT_MS,
);

test(
  "a download goes on for a moment behind a client that reads range by range, and then ends",
  async () => {
    await using slow = await TestCluster.start({ peers: 0, storeRateBps: 2 * MIB });
    const large = await slow.put("large.bin", 32 * MIB);
    const gateway = await joinWithGateway(slow, { name: "one", buckets: BUCKETS, store: slow.storeOptions });
    const part = await ask("/models/large.bin", { headers: { range: "bytes=0-99" } }, READER, gateway);
    expect((await part.arrayBuffer()).byteLength).toBe(100);
    expect((await gateway.peer.status()).runningTaskCount).toBe(1);
    await until("the download has stopped", async () => (await gateway.peer.status()).runningTaskCount === 0);
    expect(slow.store.stats().bodyBytes).toBeLessThan(large.sizeBytes);
  },
  TIMEOUT_MS,
);

test(
  "a download ends when the client that wanted it has gone",
  async () => {
    await using slow = await TestCluster.start({ peers: 0, storeRateBps: 4 * MIB });
    const large = await slow.put("large.bin", 32 * MIB);
    const gateway = await joinWithGateway(slow, { name: "one", buckets: BUCKETS, store: slow.storeOptions });
    const reader = (await ask("/models/large.bin", {}, READER, gateway)).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await until("the download has stopped", async () => (await gateway.peer.status()).runningTaskCount === 0);
    expect(slow.store.stats().bodyBytes).toBeLessThan(large.sizeBytes);
    expect(gateway.peer.daemon.log()).not.toContain("gateway.broken");
  },
  TIMEOUT_MS,
);

describe("a listing of the gateway", () => {
  const list = async (query: string) => {
    const response = await ask(`/models?${query}`);
    return new XMLParser({ isArray: (name) => ["Contents", "CommonPrefixes"].includes(name) }).parse(
      await response.text(),
    ).ListBucketResult;
  };
  const keysOf = (result: { readonly Contents?: readonly { readonly Key: string }[] }) =>
    (result.Contents ?? []).map(({ Key }) => Key);

  test("gathers what is behind a delimiter", async () => {
    const result = await list("list-type=2&prefix=list/&delimiter=/");
    expect(keysOf(result)).toEqual(["list/a", "list/c+d e"]);
    expect(result.CommonPrefixes).toEqual([{ Prefix: "list/b/" }]);
  });

  test.each(["list-type=2", "list-type=1"])("goes page by page through everything (%s)", async (version) => {
    const found: string[] = [];
    for (let place = ""; ; ) {
      const page = await list(`${version}&prefix=list/&max-keys=1${place}`);
      expect(keysOf(page)).toHaveLength(1);
      found.push(...keysOf(page));
      if (!page.IsTruncated) break;
      place =
        version === "list-type=2"
          ? `&continuation-token=${page.NextContinuationToken}`
          : `&marker=${encodeURIComponent(page.NextMarker)}`;
    }
    expect(found).toEqual(["list/a", "list/b/1", "list/b/2", "list/c+d e"]);
  });

  test("knows nothing outside of a bucket's own folder", async () => {
    const xml = await (await fetch(`${one.url}/open?list-type=2`)).text();
    expect([...xml.matchAll(/<Key>([^<]*)/g)].map(([, key]) => key)).toEqual(["empty", "readme.txt"]);
  });

  test("asks the store once in a while for many who want the same, and for each when that is off", async () => {
    const askAll = async (gateway: GatewayPeer) => {
      const before = cluster.store.stats().requestCount;
      for (let n = 0; n < 3; n++) {
        await ask("/models?list-type=2&prefix=list/&delimiter=%2B", {}, READER, gateway);
        await ask("/models", { method: "HEAD" }, READER, gateway);
      }
      return cluster.store.stats().requestCount - before;
    };
    expect(await askAll(two)).toBe(6);
    expect(await askAll(one)).toBeLessThan(6);
  });
});

describe("a bucket of the gateway", () => {
  test("is stated by HEAD, and its region and versioning by name", async () => {
    const head = await ask("/models", { method: "HEAD" });
    expect([head.status, head.headers.get("x-amz-bucket-region"), await head.text()]).toEqual([200, "us-east-1", ""]);
    expect(await (await ask("/models/?location")).text()).toContain("<LocationConstraint");
    expect(await (await ask("/models?versioning")).text()).toContain("<VersioningConfiguration");
    expect((await errorOf(await ask("/models?policy"))).Code).toBe("NoSuchBucketPolicy");
    expect((await errorOf(await ask("/models?versions"))).Code).toBe("NotImplemented");
    expect((await ask("/models?constructor&max-keys=0")).status).toBe(200);
  });

  test("that is not there, here or at its store, is told by 404", async () => {
    for (const path of ["/nowhere", "/gone"]) {
      expect((await ask(path, { method: "HEAD" })).status).toBe(404);
      expect(await errorOf(await ask(`${path}?list-type=2`))).toMatchObject({
        Code: "NoSuchBucket",
        BucketName: path.slice(1),
      });
    }
  });

  test("may be named by the host", async () => {
    const head = await fetch(`${one.url}/readme.txt`, { method: "HEAD", headers: { host: "open.s3.internal:65004" } });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "100"]);
  });
});

describe("who may read", () => {
  test("each key its buckets, and everybody those that are open", async () => {
    const statusOf = async (path: string, keys = READER) => (await ask(path, { method: "HEAD" }, keys)).status;
    expect(await statusOf("/models/model.bin", CLERK)).toBe(200);
    expect((await errorOf(await ask("/gone/a", {}, CLERK))).Code).toBe("AccessDenied");
    expect(await (await ask("/", {}, CLERK)).text()).not.toContain("<Name>gone</Name>");
    expect(await (await ask("/")).text()).toContain("<Name>gone</Name>");
    expect((await fetch(`${one.url}/open/readme.txt`)).status).toBe(200);
    expect((await errorOf(await fetch(`${one.url}/models/model.bin`))).Code).toBe("AccessDenied");
    expect(await (await fetch(`${one.url}/`)).text()).not.toContain("<Name>models</Name>");
  });

  test("nobody with a wrong secret or a key of nobody, but what is open", async () => {
    const wrong = { ...READER, secretAccessKey: "wrong-secret" };
    const nobody = { accessKeyId: "nobody", secretAccessKey: "nobody-secret" };
    expect((await errorOf(await ask("/models/model.bin", {}, wrong))).Code).toBe("SignatureDoesNotMatch");
    expect((await errorOf(await ask("/open/readme.txt", {}, wrong))).Code).toBe("SignatureDoesNotMatch");
    expect((await errorOf(await ask("/models/model.bin", {}, nobody))).Code).toBe("InvalidAccessKeyId");
    expect((await ask("/open/readme.txt", {}, nobody)).status).toBe(200);
  });
});

describe("the gateway", () => {
  test("refuses writes before they are sent, in the words of S3", async () => {
    for (const [method, path] of [
      ["PUT", "/models/new"],
      ["DELETE", "/models/model.bin"],
      ["POST", "/models?delete"],
    ] as const) {
      const refused = await ask(path, { method, ...(method === "DELETE" ? {} : { body: "x" }) });
      expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
      expect((await errorOf(refused)).Code).toBe("MethodNotAllowed");
    }
    const head = "PUT /models/new HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000000\r\nExpect: 100-continue\r\n\r\n";
    expect(await rawReply(one, head)).toStartWith("HTTP/1.1 405");
  });

  test("never leaves a bucket's own folder, however the path is written", async () => {
    for (const path of [
      "/open/../bucket/model.bin",
      "/open/%2e%2e/model.bin",
      "/open/a/..%2f..%2fmodel.bin",
      "/open/.",
    ]) {
      const reply = await rawReply(one, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(reply).toStartWith("HTTP/1.1 400");
      expect(reply).toContain("<Code>InvalidURI</Code>");
    }
    const listed = await fetch(`${one.url}/open?list-type=2&prefix=${encodeURIComponent("../")}`);
    expect((await errorOf(listed)).Code).toBe("InvalidURI");
  });

  test("takes a path that is no UTF-8, and one that is no HTTP, for what they are", async () => {
    expect(await rawReply(one, "GET /open/%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).toContain(
      "InvalidURI",
    );
    expect(await rawReply(one, "GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n")).toStartWith("HTTP/1.1 400");
  });

  test(
    "does not read from itself, where the machine tells all programs to read S3 there",
    async () => {
      const port = await freePort();
      const { endpoint: _, ...keys } = cluster.storeOptions;
      const config = join(cluster.folder, "itself.yaml");
      const told = { name: "itself", buckets: { models: "s3://bucket" }, store: keys };
      await writeFile(config, JSON.stringify(configOf(told)), { mode: 0o600 });
      const peer = await cluster.join("itself", {
        args: ["--config", config, "--gateway-listen", `127.0.0.1:${port}`],
        env: { AWS_ENDPOINT_URL_S3: `http://localhost:${port}`, AWS_ENDPOINT_URL: cluster.store.url },
      });
      const gateway = { peer, url: await gatewayUrl(peer) };
      expect((await ask("/models/model.bin", { method: "HEAD" }, READER, gateway)).status).toBe(200);
      expect(peer.daemon.log()).toContain("AWS_ENDPOINT_URL_S3 leads to this peer's own gateway");
    },
    TIMEOUT_MS,
  );

  test.each(["HEAD", "GET"])(
    "tells a %s that its store is itself, where a profile of the machine names it as the store",
    async (method) => {
      const port = await freePort();
      const name = `loop-${method}`;
      const config = join(cluster.folder, `${name}.yaml`);
      const told = { name, buckets: { models: "s3://bucket" }, store: {} };
      await writeFile(config, JSON.stringify(configOf(told)), { mode: 0o600 });
      const { accessKeyId, secretAccessKey } = READER;
      const lines = [`aws_access_key_id = ${accessKeyId}`, `aws_secret_access_key = ${secretAccessKey}`];
      const profile = join(cluster.folder, `${name}.profile`);
      await writeFile(profile, ["[default]", ...lines, `endpoint_url = http://127.0.0.1:${port}`].join("\n"));
      const peer = await cluster.join(name, {
        args: ["--config", config, "--gateway-listen", `127.0.0.1:${port}`],
        env: { AWS_CONFIG_FILE: profile, AWS_SHARED_CREDENTIALS_FILE: profile },
      });
      const gateway = { peer, url: await gatewayUrl(peer) };
      const response = await ask("/models/model.bin", { method }, READER, gateway);
      expect(response.status).toBe(400);
      if (method === "GET") expect((await errorOf(response)).Message).toContain("Name the store's own endpoint");
    },
    TIMEOUT_MS,
  );

  test(
    "follows its settings while it runs",
    async () => {
      const three = await joinWithGateway(cluster, {
        name: "three",
        buckets: { models: "s3://bucket" },
        store: cluster.storeOptions,
      });
      const change = async (buckets: Record<string, unknown>) => {
        const changed = { name: "three", buckets, store: cluster.storeOptions };
        const before = three.peer.daemon.log().length;
        await writeFile(join(cluster.folder, "three.yaml"), JSON.stringify(configOf(changed)), { mode: 0o600 });
        three.peer.daemon.signal("SIGHUP");
        await until("the settings are read again", () =>
          three.peer.daemon.log().slice(before).includes("settings.reloaded"),
        );
      };
      await change({ models: "s3://bucket", later: { location: "s3://bucket/public", anonymous: true } });
      expect((await fetch(`${three.url}/later/readme.txt`)).status).toBe(200);
      await change({});
      await until(
        "nobody listens",
        async () =>
          await fetch(three.url).then(
            () => false,
            () => true,
          ),
      );
      await change({ later: { location: "s3://bucket/public", anonymous: true }, models: "s3://bucket" });
      await until("it listens again", async () => (await gatewayUrl(three.peer)) !== three.url);
      expect((await fetch(`${await gatewayUrl(three.peer)}/later/readme.txt`)).status).toBe(200);
    },
    TIMEOUT_MS,
  );
});

/** All that comes back when this is sent, until the gateway closes the connection. */
function rawReply({ url }: GatewayPeer, text: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  let reply = "";
  socket.setEncoding("latin1");
  socket.on("data", (part) => {
    reply += part;
  });
  socket.on("close", () => resolve(reply));
  socket.on("error", reject);
  socket.write(text, "latin1");
  return promise;
}
