import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Behaviour, type FaultyFile, FaultySource } from "../../tests/fixtures/faulty-source.ts";
import { bytesOf, problemIn, sourceOpener, statOf } from "../../tests/fixtures/opened-source.ts";

const CONTENT = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 31) % 251);

let server: FaultySource;

beforeAll(async () => {
  server = await FaultySource.start();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

function serve(behaviour: Behaviour): FaultyFile {
  return server.serveNew({ content: CONTENT, ...behaviour });
}

test("stat() takes one HEAD where it says everything", async () => {
  const file = serve({ lastModified: "Wed, 21 Oct 2026 07:28:00 GMT", headers: { "content-type": "text/x-model" } });
  const source = await sourceOpener().open(file.url);
  expect(await statOf(source)).toEqual({
    sizeBytes: 100_000,
    version: 'etag:"v1"',
    ranged: true,
    contentType: "text/x-model",
    lastModifiedMs: Date.UTC(2026, 9, 21, 7, 28),
  });
  expect(file.asked()).toEqual(["HEAD null"]);
});

test.each([
  ["HEAD is not allowed", { headStatus: 405 }],
  ["HEAD is forbidden", { headStatus: 403 }],
  ["HEAD finds nothing", { headStatus: 404 }],
  ["HEAD is not implemented", { headStatus: 501 }],
  ["HEAD breaks the server", { headStatus: 500 }],
  ["HEAD does not mention ranges", { ranges: "unadvertised" }],
  ["HEAD claims the file is empty", { headLengthZero: true }],
] satisfies [string, Behaviour][])("stat() asks for the first byte when %s", async (_, behaviour) => {
  const file = serve(behaviour);
  const stat = await statOf(await sourceOpener().open(file.url));
  expect(stat).toEqual({ sizeBytes: 100_000, version: 'etag:"v1"', ranged: true });
  expect(file.asked()).toEqual(["HEAD null", "GET bytes=0-0"]);
});

test("stat() does not try HEAD when the URL is signed for GET", async () => {
  const file = serve({});
  const stat = await statOf(await sourceOpener().open(`${file.url}?X-Amz-Signature=abc`));
  expect(stat.sizeBytes).toBe(100_000);
  expect(file.asked()).toEqual(["GET bytes=0-0"]);
});

test("stat() tells a source without ranges from one with", async () => {
  const file = serve({ ranges: "ignored" });
  const stat = await statOf(await sourceOpener().open(file.url));
  expect(stat).toMatchObject({ sizeBytes: 100_000, ranged: false });
});

test.each([
  ["416 that gives the length", {}, ["HEAD null", "GET bytes=0-0"]],
  ["416 without the length", { headers: { "content-range": "" } }, ["HEAD null", "GET bytes=0-0", "GET null"]],
  ["200 of no length", { ranges: "ignored" }, ["HEAD null", "GET bytes=0-0"]],
] satisfies [string, Behaviour, string[]][])("stat() knows an empty file by a %s", async (_, behaviour, asked) => {
  const file = serve({ content: new Uint8Array(), ...behaviour });
  const source = await sourceOpener().open(file.url);
  const stat = await statOf(source);
  expect(stat).toMatchObject({ sizeBytes: 0, version: 'etag:"v1"' });
  expect(file.asked()).toEqual(asked);
  expect(await bytesOf(source, undefined, stat)).toHaveLength(0);
});

test("stat() pins the content by ETag as it was sent, else by date and size, else by size", async () => {
  const lastModified = "Wed, 21 Oct 2026 07:28:00 GMT";
  const version = async (behaviour: Behaviour) =>
    (await statOf(await sourceOpener().open(serve(behaviour).url))).version;
  expect(await version({ etag: 'W/"weak"', lastModified })).toBe('etag:W/"weak"');
  expect(await version({ etag: '"0123-5"' })).toBe('etag:"0123-5"');
  expect(await version({ etag: null, lastModified })).toBe("modified:2026-10-21T07:28:00.000Z+100000");
  expect(await version({ etag: '""', lastModified: "yesterday" })).toBe("size:100000");
  expect(await version({ etag: `"${"x".repeat(600)}"` })).toBe("size:100000");
});

test("stat() refuses a source that does not tell its size", async () => {
  const file = serve({ chunked: true, ranges: "ignored" });
  expect((await problemIn(statOf(await sourceOpener().open(file.url)))).code).toBe("source-size-unknown");
});

test.each([
  ["the first byte starts elsewhere", { ranges: "wrong", headStatus: 405 }],
  ["the content is encoded all the same", { headers: { "content-encoding": "gzip" } }],
  ["a 416 claims there are bytes", { content: new Uint8Array(), sizeError: 5, headStatus: 405 }],
] satisfies [string, Behaviour][])("stat() calls it a lie when %s", async (_, behaviour) => {
  const problem = await problemIn(statOf(await sourceOpener().open(serve(behaviour).url)));
  expect(problem.code).toBe("source-lied");
});

test.each([
  [400, "source-refused"],
  [401, "source-forbidden"],
  [403, "source-forbidden"],
  [404, "source-not-found"],
  [410, "source-not-found"],
  [412, "source-changed"],
])("stat() does not try again after %d and calls it %s", async (status, code) => {
  const file = serve({ status });
  const { open, waits } = sourceOpener();
  const problem = await problemIn(statOf(await open(`${file.url}?token=secret`)));
  expect(problem.code).toBe(code as typeof problem.code);
  expect(problem.detail).toEqual({ url: `${file.url}?…`, status });
  expect(problem.message).toStartWith(`${file.url}?…: the source answered ${status}. `);
  expect([file.asked().length, waits]).toEqual([2, []]);
});

test.each([408, 500, 502, 503, 504])(
  "stat() tries again after %d, longer apart each time, and gives up",
  async (status) => {
    const file = serve({ status });
    const { open, waits } = sourceOpener();
    const problem = await problemIn(statOf(await open(file.url)));
    expect(problem).toMatchObject({ code: "source-refused", detail: { status, tries: 5 } });
    expect(problem.message).toEndWith("(after 5 tries)");
    expect(waits).toEqual([100, 200, 400, 800]);
    expect(file.asked()).toHaveLength(6);
  },
);

test("stat() succeeds when the source recovers, after the wait it asked for", async () => {
  const file = serve({ status: 503, failures: 3, headers: { "retry-after": "7" } });
  const { open, waits } = sourceOpener();
  expect((await statOf(await open(file.url))).sizeBytes).toBe(100_000);
  expect(waits).toEqual([7000, 7000]);
});

test.each([
  { status: 429 },
  { status: 503, errorBody: "<Error><Code>SlowDown</Code><Message>Please reduce your rate</Message></Error>" },
  { status: 503, errorBody: "<Error><Code>ServerBusy</Code></Error>" },
  { status: 503, errorBody: "<Error><Code>DownloadTrafficRateLimitExceeded</Code></Error>" },
])("stat() waits longer for a source that is asked too often: %j", async (behaviour) => {
  const { open, waits } = sourceOpener();
  const problem = await problemIn(statOf(await open(serve(behaviour).url)));
  expect(problem.code).toBe("source-refused");
  expect(waits).toEqual([500, 1000, 2000, 4000]);
});

test("stat() reads Retry-After as a date too, and never waits longer than 30 s for it", async () => {
  const nowMs = Date.UTC(2026, 0, 1);
  const date = serve({ status: 503, failures: 2, headers: { "retry-after": new Date(nowMs + 4000).toUTCString() } });
  const long = serve({ status: 503, failures: 2, headers: { "retry-after": "86400" } });
  const { open, waits } = sourceOpener({ nowMs: () => nowMs });
  await statOf(await open(date.url));
  await statOf(await open(long.url));
  expect(waits).toEqual([4000, 30_000]);
});

test("stat() says that a source cannot be reached, without the query of its URL", async () => {
  await using gone = await FaultySource.start();
  const { url } = gone;
  await gone[Symbol.asyncDispose]();
  const problem = await problemIn(statOf(await sourceOpener().open(`${url}/file?sig=secret`)));
  expect(problem).toMatchObject({ code: "source-unreachable", detail: { cause: "ECONNREFUSED", tries: 5 } });
  expect(JSON.stringify([problem.message, problem.detail, String(problem.cause)])).not.toContain("secret");
});

test("stat() does not try again when the certificate is wrong, and says what to do", async () => {
  const failure = Object.assign(new TypeError("certificate"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  const { open, waits } = sourceOpener({ fetch: () => Promise.reject(failure) });
  const problem = await problemIn(statOf(await open("https://example.com/file")));
  expect(problem).toMatchObject({ code: "source-unreachable", detail: { cause: "DEPTH_ZERO_SELF_SIGNED_CERT" } });
  expect(problem.message).toContain("NODE_EXTRA_CA_CERTS");
  expect(waits).toEqual([]);
});
