import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FaultySource } from "../../../tests/fixtures/faulty-source.ts";
import { HfHub } from "../../../tests/fixtures/hf-hub.ts";
import { bytesOf, pagesOf, problemIn, sourceOpener, statOf } from "../../../tests/fixtures/opened-source.ts";
import { tempFolder } from "../../../tests/fixtures/temp-folder.ts";

const LARGE = Uint8Array.from({ length: 50_000 }, (_, at) => (at * 31) % 251);
const SMALL = new TextEncoder().encode('{"model_type": "llama"}');
const SHA256 = createHash("sha256").update(LARGE).digest("hex");

let hub: HfHub;
let firstCommit: string;

beforeAll(async () => {
  hub = await HfHub.start();
  for (const access of ["public", "private", "gated"] as const) {
    hub.createRepo(`models/owner/${access}`, access);
    firstCommit = hub.put(`models/owner/${access}`, "model.bin", LARGE);
    hub.put(`models/owner/${access}`, "config.json", SMALL);
  }
});

afterAll(() => hub[Symbol.asyncDispose]());

const anybody = () => ({ store: { endpoint: hub.url } });
const somebody = () => ({ store: { endpoint: hub.url, accessToken: hub.token } });

test("a large file is read from where the Hub redirects to, and its version is its SHA-256", async () => {
  const source = await sourceOpener().open("hf://owner/private/model.bin", somebody());
  hub.requests.length = 0;
  const stat = await statOf(source);
  expect(stat).toMatchObject({ sizeBytes: 50_000, ranged: true, version: `etag:"${SHA256}"` });
  expect(hub.requests.map(({ host, method }) => `${host} ${method}`)).toEqual(["hub HEAD"]);
  expect(await bytesOf(source, { start: 10, end: 20 }, stat)).toEqual(LARGE.slice(10, 20));
  expect(await bytesOf(source, undefined, stat)).toEqual(LARGE);
});

test("the Hub is asked once for where the bytes are, and again when that is not good any more", async () => {
  let nowMs = Date.now();
  const source = await sourceOpener({ nowMs: () => nowMs }).open("hf://owner/public/model.bin", anybody());
  const stat = await statOf(source);
  hub.requests.length = 0;
  for (const start of [0, 100, 200]) await bytesOf(source, { start, end: start + 10 }, stat);
  expect(hub.requests.map(({ host }) => host)).toEqual(["hub", "cdn", "cdn", "cdn"]);
  nowMs += 3_600_000;
  hub.requests.length = 0;
  await bytesOf(source, { start: 0, end: 10 }, stat);
  expect(hub.requests.map(({ host }) => host)).toEqual(["hub", "cdn"]);
});

test("one content at two revisions is one task, and a seed is told the commit", async () => {
  const { open } = sourceOpener();
  const sources = [
    await open("hf://owner/public/model.bin", anybody()),
    await open("hf://models/owner/public@main/model.bin", anybody()),
  ];
  const stats = await Promise.all(sources.map(statOf));
  expect(new Set(sources.map(({ location }) => location)).size).toBe(1);
  expect(new Set(stats.map(({ version }) => version)).size).toBe(1);
  const { url } = sources[0]?.portableRequest ?? { url: "" };
  expect(url).toMatch(/^hf:\/\/owner\/public@[0-9a-f]{40}\/model\.bin$/);
  expect((await open(url, anybody())).location).toBe(sources[0]?.location ?? "");
});

test("an earlier commit is read as it was", async () => {
  const source = await sourceOpener().open(`hf://owner/gated@${firstCommit}/model.bin`, somebody());
  expect(await bytesOf(source)).toEqual(LARGE);
});

test.each([
  ["hf://owner/public/nothing", "source-not-found", "no such file"],
  ["hf://owner/public@v9/model.bin", "source-not-found", "no such revision"],
  ["hf://owner/private/model.bin", "source-not-found", "HF_TOKEN"],
  ["hf://owner/gated/model.bin", "source-forbidden", "conditions"],
] as const)("without a token %s is %s, and what to do is said", async (url, code, words) => {
  const { open, waits } = sourceOpener();
  const problem = await problemIn(open(url, anybody()).then(statOf));
  expect([problem.code, problem.message, waits]).toEqual([code, expect.stringContaining(words), []]);
});

test("a token is taken from HF_TOKEN, else from the file of the Hub's own tools", async () => {
  await using folder = await tempFolder();
  await writeFile(join(folder.path, "token"), `${hub.token}\n`);
  for (const own of [{ HF_TOKEN: hub.token }, { HF_HOME: folder.path }]) {
    const { open } = sourceOpener({ env: { HOME: "/nonexistent", HF_ENDPOINT: hub.url, ...own } });
    const source = await open("hf://owner/private/config.json");
    expect(await bytesOf(source)).toEqual(SMALL);
    expect(source.portableRequest.store).toMatchObject({ accessToken: hub.token });
  }
});

test("this host's token goes to no Hub that a request chooses", async () => {
  const { open } = sourceOpener({ env: { HOME: "/nonexistent", HF_TOKEN: hub.token } });
  expect((await problemIn(open("hf://owner/private/config.json", anybody()).then(statOf))).code).toBe(
    "source-not-found",
  );
});

test("a Hub that is asked too often is asked again when it says", async () => {
  await using busy = await FaultySource.start();
  const headers = { ratelimit: '"resolvers";r=0;t=17' };
  busy.serve("/owner/name/resolve/main/f", { content: SMALL, status: 429, failures: 2, headers });
  const { open, waits } = sourceOpener();
  await statOf(await open("hf://owner/name/f", { store: { endpoint: busy.url } }));
  expect(waits).toEqual([17_000]);
});

test("a folder is listed at one commit, whatever is committed meanwhile", async () => {
  hub.createRepo("datasets/owner/moving");
  const before = hub.put("datasets/owner/moving", "data/one.parquet", LARGE);
  const folder = await sourceOpener().openFolder("hf://datasets/owner/moving/data/", anybody());
  const [page] = await pagesOf(folder);
  hub.put("datasets/owner/moving", "data/two.parquet", SMALL);
  expect(page?.objects).toEqual([{ key: "data/one.parquet", sizeBytes: 50_000, etag: `"${SHA256}"` }]);
  expect(folder.objectRequest("data/one.parquet").url).toBe(`hf://datasets/owner/moving@${before}/data/one.parquet`);
});
