import { afterAll, beforeAll, expect, test } from "bun:test";
import { MemoryBuckets } from "../../tests/fixtures/bucket-contents.ts";
import { type S3Store, startS3Store } from "../../tests/fixtures/s3-store.ts";
import { createSources } from "../source/sources.ts";
import { GatewayLists } from "./gateway-lists.ts";
import { parseListRequest } from "./list-query.ts";
import { listReply } from "./list-reply.ts";

const KEYS = { accessKeyId: "reader", secretAccessKey: "reader-secret" };
const BUCKET = { name: "models", location: "s3://bucket/prod/", anonymous: false };

let store: S3Store;
let lists: GatewayLists;

beforeAll(async () => {
  const contents = new MemoryBuckets();
  for (const key of ["", "a", "dir/", "dir/b", "dir/c"]) contents.put("bucket", `prod/${key}`, new Uint8Array());
  store = await startS3Store({ contents, ...KEYS });
  const rule = { prefix: "s3://bucket", endpoint: store.url, region: "us-east-1", ...KEYS };
  const sources = createSources({ env: {}, stores: () => [rule] });
  lists = new GatewayLists(sources.openFolder, () => 0);
});
afterAll(async () => await store.stop());

/** As a client of the first version of the operation goes on. */
async function pagesOf(query: string): Promise<string[]> {
  const found: string[] = [];
  for (let marker = ""; found.length < 10; ) {
    const request = parseListRequest(new URLSearchParams(`${query}&marker=${marker}`));
    const page = await lists.list(BUCKET, request, new AbortController().signal);
    found.push(...page.objects.map(({ key }) => key), ...page.prefixes);
    if (page.next === undefined) break;
    marker = /<NextMarker>(.*)<\/NextMarker>/.exec(listReply(BUCKET.name, request, page))?.[1] ?? "";
  }
  return found;
}

test("a location that is an object itself gives no page without a name to go on behind", async () => {
  expect(await pagesOf("max-keys=1")).toEqual(["a", "dir/", "dir/b", "dir/c"]);
});

test("a folder goes on behind the empty object that stands for it", async () => {
  expect(await pagesOf("max-keys=1&delimiter=/")).toEqual(["a", "dir/"]);
  expect(await pagesOf("max-keys=1&delimiter=/&prefix=dir/")).toEqual(["dir/", "dir/b", "dir/c"]);
});
