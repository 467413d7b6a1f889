import { describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Problem } from "../../schema/problem.ts";
import type { ListReply } from "../../schema/wire/local-stores.ts";
import { aPeer, CONTENT, type LocalRequest, opened, progressed, readyAt, run, sendEvents } from "./fixtures.ts";

const PREFIX = "models/";
const object = (name: string, more: Partial<ListReply["objects"][number]> = {}) => ({
  key: `${PREFIX}${name}`,
  sizeBytes: CONTENT.length,
  version: 'etag:"1"',
  url: `s3://bucket/${PREFIX}${name}`,
  ...more,
});
const urlOf = ({ body }: LocalRequest) => (body as { source: { url: string } }).source.url;

/** Lists these objects, two a page, and has the content of all but those that fail. */
function aPeerWith(objects: ListReply["objects"], failing: Readonly<Record<string, Problem>> = {}) {
  const peer = aPeer(async (request, response) => {
    if (request.url === "/v1/list") {
      const { after } = request.body as { after?: { name: string } };
      const start = after === undefined ? 0 : Number(after.name);
      const next = start + 2 < objects.length ? { next: { name: String(start + 2) } } : {};
      response.writeHead(200, { "content-type": "application/json" });
      const page = { url: "s3://bucket/models/", prefix: PREFIX, objects: objects.slice(start, start + 2), ...next };
      response.end(JSON.stringify(page));
      return;
    }
    const problem = failing[urlOf(request).slice("s3://bucket/models/".length)];
    const { stored } = await peer;
    if (problem === undefined) return sendEvents(response, [opened, progressed, readyAt(stored)]);
    sendEvents(response, [opened, { type: "failed", problem }]);
    response.end();
  });
  return peer;
}

const asked = (requests: readonly LocalRequest[]) => requests.filter(({ url }) => url === "/v1/get").map(urlOf);

describe("pantala get -r", () => {
  test("asks for no key whose file would lie outside of the output folder, and fetches the others", async () => {
    const evil = ["../evil", "/etc/evil", "a/../../evil", "nul\0", ".pantala-get.jsonl"];
    await using peer = await aPeerWith([...evil.map((name) => object(name)), object("sub/good"), object("folder/")]);
    const output = join(peer.folder, "deep", "out");
    await mkdir(join(peer.folder, "deep"));
    const { code, stdout, stderr } = await run(peer, ["get", "-r", "s3://bucket/models", "-O", output, "--json"]);
    expect(code).toBe(8);
    expect(JSON.parse(stdout)).toMatchObject({ fileCount: 1, failedCount: 5, untriedCount: 0 });
    expect(JSON.parse(stderr).message).toContain("5 of 6 files failed");
    expect(asked(peer.requests)).toEqual(["s3://bucket/models/sub/good"]);
    expect(await readFile(join(output, "sub/good"), "utf8")).toBe(CONTENT);
    expect((await readdir(join(peer.folder, "deep"), { recursive: true })).toSorted()).toEqual([
      "out",
      "out/.pantala-get.jsonl",
      "out/sub",
      "out/sub/good",
    ]);
  });

  test("tells which file failed and why, in the order of the listing, and ends with the first one's exit code", async () => {
    const missing: Problem = { code: "source-not-found", message: "b: gone. Look", detail: {} };
    const unnamed: Problem = { code: "bad-request", message: "c: no URL. Copy it", detail: {} };
    await using peer = await aPeerWith([object("a"), object("b"), object("c", { url: unnamed })], { b: missing });
    const { code, stdout, stderr } = await run(peer, ["get", "-r", "s3://bucket/models", "-O", "out"]);
    expect([code, stderr]).toEqual([
      4,
      "pantala get: s3://bucket/models/: 2 of 3 files failed\n  b: gone. Look\n  c: no URL. Copy it\n",
    ]);
    expect(stdout).toMatch(/out: 1 file, 16 B in .*; peers 16 B; 2 failed\n$/);
  });

  test("tries no further file when the disk is full", async () => {
    const full: Problem = { code: "disk-full", message: "The disk is full: make room", detail: {} };
    await using peer = await aPeerWith([object("a"), object("b"), object("c")], { a: full });
    const args = ["get", "-r", "s3://bucket/models", "-O", "out", "--parallel", "1", "--json"];
    const { code, stdout } = await run(peer, args);
    expect(code).toBe(8);
    expect(JSON.parse(stdout)).toMatchObject({ fileCount: 0, failedCount: 1, untriedCount: 2 });
    expect(asked(peer.requests)).toHaveLength(1);
  });

  test("puts the folder under its own name, here, and says which flags are for one file or for folders", async () => {
    await using peer = await aPeerWith([object("a")]);
    expect((await run(peer, ["get", "-r", "s3://bucket/models/"])).code).toBe(0);
    expect(await readdir(join(peer.folder, "models"))).toContain("a");
    const { code, stderr } = await run(peer, ["get", "s3://bucket/a", "--parallel", "2", "--include", "*"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--include: is for folders[\s\S]*--parallel: is for folders/);
  });
});
