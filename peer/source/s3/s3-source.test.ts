import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Behaviour, FaultySource } from "../../../tests/fixtures/faulty-source.ts";
import { bytesOf, problemIn, sourceOpener, statOf } from "../../../tests/fixtures/opened-source.ts";
import { type S3Store, startS3Store } from "../../../tests/fixtures/s3-store.ts";
import { type TempFolder, tempFolder } from "../../../tests/fixtures/temp-folder.ts";

const KEYS = { accessKeyId: "an:access-key", secretAccessKey: "hidden/secret+key" };
const CONTENT = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 31) % 251);
const TRICKY_KEYS = [
  "plain.bin",
  "a b+c=d%25é~!'()*.bin",
  "%2e%2e/%20",
  "what?who#where&k=v;x,y@z$:",
  "ünïcödé/日本語/🙂",
  'quotes"<>|^`{}[]\\',
  "trailing ",
  "line\nbreak\ttab",
  ".hidden/..double/...",
];

let folder: TempFolder;
let store: S3Store;
let faulty: FaultySource;

beforeAll(async () => {
  folder = await tempFolder();
  for (const key of TRICKY_KEYS) {
    const path = join(folder.path, "bucket", ...key.split("/"));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, CONTENT);
  }
  store = await startS3Store({ folder: folder.path, ...KEYS });
  faulty = await FaultySource.start();
});

afterAll(async () => {
  await store.stop();
  await faulty[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const s3 = (more: object = {}) => ({ store: { endpoint: store.url, ...KEYS, ...more } });
const atFaulty = (more: object = {}) => ({ store: { endpoint: faulty.url, ...KEYS, ...more } });

test.each(TRICKY_KEYS)("an S3 source reads the key %j", async (key) => {
  const source = await sourceOpener().open(`s3://bucket/${key}`, s3());
  const stat = await statOf(source);
  expect([stat.sizeBytes, stat.ranged]).toEqual([100_000, true]);
  expect(stat.version).toMatch(/^etag:"[0-9a-f]{32}"$/);
  expect(await bytesOf(source, { start: 1000, end: 3000 }, stat)).toEqual(CONTENT.slice(1000, 3000));
  expect(source.portableRequest.url).toBe(`s3://bucket/${key}`);
});

test("an S3 source needs one request to know the object, and one to read it", async () => {
  const before = store.stats();
  expect(await bytesOf(await sourceOpener().open("s3://bucket/plain.bin", s3()))).toEqual(CONTENT);
  const after = store.stats();
  expect([after.requestCount - before.requestCount, after.bodyBytes - before.bodyBytes]).toEqual([2, 100_000]);
});

test.each([
  [{ secretAccessKey: "wrong" }, "SignatureDoesNotMatch"],
  [{ accessKeyId: "nobody" }, "InvalidAccessKeyId"],
  [{ sessionToken: "unasked" }, "InvalidToken"],
  [{ anonymous: true }, "AccessDenied"],
])("an S3 source with %j is forbidden, in the words of the store (%s)", async (wrong, code) => {
  const { open, waits } = sourceOpener();
  const problem = await problemIn(statOf(await open("s3://bucket/plain.bin", s3(wrong))));
  expect(problem).toMatchObject({ code: "source-forbidden", detail: { sourceCode: code } });
  expect(problem.message).toContain(`s3://bucket/plain.bin: the source answered 40`);
  expect(problem.message).toContain(code);
  expect(waits).toEqual([]);
});

test("an S3 source tells a missing object from a missing bucket", async () => {
  const codeAt = async (url: string) => (await problemIn(statOf(await sourceOpener().open(url, s3())))).toProblem();
  expect(await codeAt("s3://bucket/nothing")).toMatchObject({
    code: "source-not-found",
    message: expect.stringContaining("that the object exists"),
    detail: { sourceCode: "NoSuchKey" },
  });
  expect(await codeAt("s3://nowhere/x")).toMatchObject({
    code: "source-not-found",
    message: expect.stringContaining("the name of the bucket"),
    detail: { sourceCode: "NoSuchBucket" },
  });
});

test("an S3 source says that the clock is wrong", async () => {
  const { open } = sourceOpener({ nowMs: () => Date.now() - 3_600_000 });
  const problem = await problemIn(statOf(await open("s3://bucket/plain.bin", s3())));
  expect(problem.detail.sourceCode).toBe("RequestTimeTooSkewed");
  expect(problem.message).toContain("Set the clock of this machine");
});

test("an S3 source signs with a session token", async () => {
  await using guarded = await startS3Store({ folder: folder.path, ...KEYS, sessionToken: "a/token==" });
  const source = await sourceOpener().open(
    "s3://bucket/plain.bin",
    s3({ endpoint: guarded.url, sessionToken: "a/token==" }),
  );
  expect(await bytesOf(source)).toEqual(CONTENT);
});

test("an S3 source learns the region of a bucket from the store, once", async () => {
  await using elsewhere = await startS3Store({ folder: folder.path, ...KEYS, region: "eu-north-1" });
  const { open } = sourceOpener({ env: { HOME: "/nonexistent", AWS_REGION: "us-west-2" } });
  const options = s3({ endpoint: elsewhere.url });
  expect((await statOf(await open("s3://bucket/plain.bin", options))).sizeBytes).toBe(100_000);
  expect(elsewhere.stats().requestCount).toBe(2);
  expect((await statOf(await open("s3://bucket/%2e%2e/%20", options))).sizeBytes).toBe(100_000);
  expect(elsewhere.stats().requestCount).toBe(3);
});

test("an S3 source learns the region from the body of an error too, and asks for it once", async () => {
  const error = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>ap-south-1</Region></Error>";
  faulty.serve("/bucket/key", { content: CONTENT, headStatus: 400, status: 400, errorBody: error });
  const problem = await problemIn(statOf(await sourceOpener().open("s3://bucket/key", atFaulty())));
  expect(problem.code).toBe("source-forbidden");
  const scopes = faulty
    .requests("/bucket/key")
    .map(({ headers }) => /\/([a-z0-9-]+)\/s3\//.exec(headers.get("authorization") ?? "")?.[1]);
  expect(scopes).toEqual(["us-east-1", "us-east-1", "ap-south-1"]);
});

test("an S3 source signs the host and x-amz headers alone", async () => {
  faulty.serve("/bucket/key", { content: CONTENT });
  const headers = { "x-amz-request-payer": "requester", "User-Agent": "tester" };
  await bytesOf(await sourceOpener().open("s3://bucket/key", { ...atFaulty(), headers }));
  const get = faulty.requests("/bucket/key").at(-1);
  expect(get?.headers.get("authorization")).toContain(
    "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-request-payer, ",
  );
  expect(get?.headers.get("x-amz-content-sha256")).toBe("UNSIGNED-PAYLOAD");
  expect([get?.headers.get("range"), get?.headers.get("user-agent")]).toEqual(["bytes=0-99999", "tester"]);
});

test("an S3 source without keys sends no signature", async () => {
  faulty.serve("/bucket/key", { content: CONTENT });
  await statOf(await sourceOpener().open("s3://bucket/key", { store: { endpoint: faulty.url, anonymous: true } }));
  const names = [...(faulty.requests("/bucket/key")[0]?.headers.keys() ?? [])];
  expect(names.filter((name) => name === "authorization" || name.startsWith("x-amz-"))).toEqual([]);
});

test("an S3 source asks for the version that its URL names", async () => {
  faulty.serve("/bucket/key", { content: CONTENT });
  const source = await sourceOpener().open("s3://bucket/key?versionId=a/b+c", atFaulty());
  await statOf(source);
  expect(faulty.requests("/bucket/key")[0]?.target).toBe("/bucket/key?versionId=a%2Fb%2Bc");
  expect(source.location).toEndWith("/bucket/key?versionId=a%2Fb%2Bc");
  expect(source.displayUrl).toBe("s3://bucket/key");
});

test("an S3 source takes Content-Encoding as a label the object was stored with", async () => {
  faulty.serve("/bucket/key", { content: CONTENT, headers: { "content-encoding": "gzip" } });
  expect(await bytesOf(await sourceOpener().open("s3://bucket/key", atFaulty()))).toEqual(CONTENT);
});

test("an S3 source does not follow redirects with its signature", async () => {
  const target = faulty.serve("/target", { content: CONTENT });
  faulty.serve("/bucket/key", { redirect: { status: 307, location: target } });
  const problem = await problemIn(statOf(await sourceOpener().open("s3://bucket/key", atFaulty())));
  expect(problem.code).toBe("source-refused");
  expect(faulty.requests("/target")).toEqual([]);
});

test("an S3 source tries again when the store is busy", async () => {
  const busy: Behaviour = { status: 503, failures: 3, errorBody: "<Error><Code>SlowDown</Code></Error>" };
  faulty.serve("/bucket/key", { content: CONTENT, ...busy });
  const { open, waits } = sourceOpener();
  expect((await statOf(await open("s3://bucket/key", atFaulty()))).sizeBytes).toBe(100_000);
  expect(waits).toHaveLength(2);
});

test("hosts with different credentials agree on the location of an object", async () => {
  const one = await sourceOpener().open("s3://bucket/a b", s3());
  const env = {
    HOME: "/nonexistent",
    AWS_ACCESS_KEY_ID: "other",
    AWS_SECRET_ACCESS_KEY: "x",
    AWS_ENDPOINT_URL: store.url,
  };
  const other = await sourceOpener({ env }).open("s3://bucket/a b");
  expect(one.location).toBe(other.location);
  expect(one.location).toBe(`s3://${new URL(store.url).host}/bucket/a%20b`);
});

test("the portable request opens the same object with the same rights at a host with another environment", async () => {
  const env = {
    HOME: "/nonexistent",
    AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
  };
  const source = await sourceOpener({ env: { ...env, AWS_ENDPOINT_URL: store.url } }).open("s3://bucket/plain.bin");
  const sent = JSON.parse(JSON.stringify(source.portableRequest));
  const seed = sourceOpener({
    env: {
      HOME: "/nonexistent",
      AWS_ACCESS_KEY_ID: "seed",
      AWS_SECRET_ACCESS_KEY: "x",
      AWS_ENDPOINT_URL: "http://seed:1",
    },
  });
  const opened = await seed.open(sent.url, sent);
  expect(opened.location).toBe(source.location);
  expect(await bytesOf(opened)).toEqual(CONTENT);

  const public_ = await sourceOpener({ env }).open("s3://bucket/plain.bin", { store: { anonymous: true } });
  const again = await seed.open(public_.portableRequest.url, public_.portableRequest);
  expect(again.location).toBe("s3://amazonaws.com/bucket/plain.bin");
  expect(again.portableRequest.store).toMatchObject({ anonymous: true });
});

test("S3 credentials are in no location, display form or problem", async () => {
  const secrets = { ...KEYS, sessionToken: "hidden-token" };
  const failures: Behaviour[] = [
    { status: 403 },
    { status: 500 },
    { dropAfterBytes: 0 },
    { etag: '"v1"', ranges: "wrong" },
  ];
  for (const behaviour of failures) {
    faulty.serve("/bucket/key", { content: CONTENT, ...behaviour });
    const source = await sourceOpener().open("s3://bucket/key", { store: { endpoint: faulty.url, ...secrets } });
    const problem = await problemIn(bytesOf(source));
    const told = `${source.location} ${source.displayUrl} ${problem.stack} ${Bun.inspect(problem)}`;
    expect(told).not.toContain("hidden");
    expect(told).not.toContain(KEYS.accessKeyId);
  }
});

test("an S3 source refuses a header that would replace its signature", async () => {
  const problem = await problemIn(
    sourceOpener().open("s3://bucket/key", { ...s3(), headers: { authorization: "hidden" } }),
  );
  expect(problem.code).toBe("bad-request");
  expect(problem.message).not.toContain("hidden");
});
