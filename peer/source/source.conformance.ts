/** What every driver does alike, shown against a server that checks credentials. A driver is done when this passes. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { StoreOptions } from "../../schema/wire/store-options.ts";
import {
  bytesOf,
  pagesOf,
  problemIn,
  type RequestFields,
  sourceOpener,
  statOf,
} from "../../tests/fixtures/opened-source.ts";
import type { SourceComponents } from "./sources.ts";

export interface StoreUnderTest extends AsyncDisposable {
  /** Of an object, or with an empty key of the bucket itself. */
  url(key: string): string;
  /** Of a bucket that is not there. */
  readonly missingBucketUrl: string;
  /** With these everything may be read. */
  readonly options: StoreOptions;
  /** Options that must be refused. */
  readonly wrongOptions: readonly StoreOptions[];
  /** What no message may hold. */
  readonly secrets: readonly string[];
  /** Replaces what is there. */
  put(key: string, content: Uint8Array): Promise<void>;
  /** More of what sources are made of, such as a `fetch` that knows the server by another name. */
  readonly components?: Partial<SourceComponents>;
}

export interface StoreTraits {
  /** Keys that the server, or the kind of store, cannot hold. */
  readonly withoutKeys?: readonly string[];
  /** False for a store that cannot be listed. */
  readonly lists?: boolean;
  /** True where an opened source keeps to the version that it found first. */
  readonly keepsVersion?: boolean;
  /** False where a listing goes on by tokens alone. */
  readonly continuesByName?: boolean;
  readonly setupTimeoutMs?: number;
}

/** Keys that break signatures and paths that are not encoded with care. */
export const ODD_KEYS = [
  "plain.bin",
  "a b+c=d%25é~!'()*.bin",
  "%2e%2e/%20",
  "what?who#where&k=v;x,y@z$:",
  "ünïcödé/日本語/🙂",
  'quotes"<>|^`{}[]\\',
  "trailing ",
  "line\nbreak\ttab",
  ".hidden/..double/...",
  "/leading//doubled/",
];

const CONTENT = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 31) % 251);
/** In the order of their UTF-8 bytes, which is another one than that of JavaScript for the last two. */
const LISTED = ["list/+", "list/a b", "list/a&b", "list/b/1", "list/b/2", "list/c//d", "list/～", "list/🙂"];

export function sourceConformance(
  name: string,
  startStore: () => Promise<StoreUnderTest>,
  traits: StoreTraits = {},
): void {
  const {
    withoutKeys = [],
    lists = true,
    keepsVersion = false,
    continuesByName = true,
    setupTimeoutMs = 30_000,
  } = traits;
  const oddKeys = ODD_KEYS.filter((key) => !withoutKeys.includes(key));
  const listed = LISTED.filter((key) => !withoutKeys.includes(key));

  describe(`${name} source`, () => {
    let store: StoreUnderTest;
    beforeAll(async () => {
      store = await startStore();
      for (const key of oddKeys) await store.put(key, CONTENT);
      for (const [at, key] of listed.entries()) await store.put(key, CONTENT.subarray(0, at));
      await store.put("empty", new Uint8Array());
    }, setupTimeoutMs);
    afterAll(async () => {
      await store[Symbol.asyncDispose]();
    });

    const opener = () => sourceOpener(store.components);
    const rights = (options = store.options): RequestFields => ({ store: options });
    const open = (key: string, options?: StoreOptions) => opener().open(store.url(key), rights(options));
    const expectNoSecret = (...told: unknown[]) => {
      const text = told.map((each) => (typeof each === "string" ? each : Bun.inspect(each))).join(" ");
      for (const secret of store.secrets) expect(text).not.toContain(secret);
    };

    test.each(oddKeys)("stat() and read() find the key %j", async (key) => {
      const source = await open(key);
      const stat = await statOf(source);
      expect([stat.sizeBytes, stat.ranged]).toEqual([100_000, true]);
      expect(await bytesOf(source, { start: 1000, end: 3000 }, stat)).toEqual(CONTENT.slice(1000, 3000));
      expect(await bytesOf(source, { start: 99_999, end: 100_000 }, stat)).toEqual(CONTENT.slice(99_999));
      expect(await bytesOf(source, undefined, stat)).toEqual(CONTENT);
      expectNoSecret(source.location, source.displayUrl);
    });

    test("two keys never have one location", async () => {
      const sources = await Promise.all(oddKeys.map((key) => open(key)));
      expect(new Set(sources.map(({ location }) => location)).size).toBe(oddKeys.length);
    });

    test("an empty object is empty", async () => {
      const source = await open("empty");
      const stat = await statOf(source);
      expect(stat.sizeBytes).toBe(0);
      expect(await bytesOf(source, undefined, stat)).toHaveLength(0);
    });

    test("a missing object and a missing bucket are not found, at the first try", async () => {
      for (const url of [store.url("nothing"), store.missingBucketUrl]) {
        const { open: openOnce, waits } = opener();
        const problem = await problemIn(openOnce(url, rights()).then(statOf));
        expect(problem.code).toBe("source-not-found");
        expect(waits).toEqual([]);
      }
    });

    test("wrong credentials are forbidden, at the first try, and in no message", async () => {
      expect(store.wrongOptions.length).toBeGreaterThan(0);
      for (const options of store.wrongOptions) {
        const { open: openOnce, waits } = opener();
        const problem = await problemIn(openOnce(store.url("plain.bin"), rights(options)).then(statOf));
        expect(problem.code).toBe("source-forbidden");
        expect(waits).toEqual([]);
        expectNoSecret(problem, problem.stack);
      }
    });

    test("an object that is replaced while it is read is found out", async () => {
      await store.put("changing", CONTENT);
      const source = await open("changing");
      const stat = await statOf(source);
      await store.put("changing", CONTENT.toReversed());
      if (keepsVersion) {
        expect(await bytesOf(source, undefined, stat)).toEqual(CONTENT);
      } else {
        const problem = await problemIn(bytesOf(source, { start: 0, end: 1000 }, stat));
        expect(problem.code).toBe("source-changed");
        expectNoSecret(problem, problem.stack);
      }
      expect((await statOf(await open("changing"))).version).not.toBe(stat.version);
    });

    test("the portable request reads the same object elsewhere, and nothing but it goes there", async () => {
      const source = await open("plain.bin");
      const sent = JSON.parse(JSON.stringify(source.portableRequest));
      const elsewhere = sourceOpener({ ...store.components, env: SOMEBODY_ELSE });
      const again = await elsewhere.open(sent.url, sent);
      expect(again.location).toBe(source.location);
      expect(await bytesOf(again)).toEqual(CONTENT);
      // A seed hands the request on.
      expect(await bytesOf(await elsewhere.open(sent.url, again.portableRequest))).toEqual(CONTENT);
    });

    test("a read that is aborted rejects with the reason", async () => {
      const source = await open("plain.bin");
      const stat = await statOf(source);
      const reason = new Error("enough");
      const read = source.read({ start: 0, end: 10 }, { signal: AbortSignal.abort(reason), expect: stat });
      await expect(read[Symbol.asyncIterator]().next()).rejects.toBe(reason);
      await expect(source.stat(AbortSignal.abort(reason))).rejects.toBe(reason);
    });

    if (!lists) return;

    const openFolder = (prefix: string, options?: StoreOptions) =>
      opener().openFolder(store.url(prefix), rights(options));

    test("list() gives keys in the order of their bytes, with size and version", async () => {
      const folder = await openFolder("list/");
      const pages = await pagesOf(folder);
      const objects = pages.flatMap((page) => page.objects);
      expect(objects.map(({ key, sizeBytes }) => [key, sizeBytes])).toEqual(listed.map((key, at) => [key, at]));
      expect(pages.flatMap((page) => page.prefixes)).toEqual([]);
      for (const { key, sizeBytes, etag } of objects) {
        const request = folder.objectRequest(key);
        const stat = await statOf(await opener().open(request.url, request));
        expect(stat.sizeBytes).toBe(sizeBytes);
        if (etag !== undefined) expect(stat.version).toBe(`etag:${etag}`);
      }
      expectNoSecret(folder.displayUrl);
    });

    test("list() of a whole bucket knows every odd key", async () => {
      const keys = (await pagesOf(await openFolder(""))).flatMap((page) => page.objects.map(({ key }) => key));
      expect(keys).toEqual(expect.arrayContaining([...oddKeys, ...listed, "empty"]));
    });

    test("list() in small pages gives each key once", async () => {
      const pages = await pagesOf(await openFolder("list/"), { maxKeys: 3 });
      expect(pages.length).toBeGreaterThan(2);
      expect(Math.max(...pages.map((page) => page.objects.length))).toBeLessThanOrEqual(3);
      expect(pages.flatMap((page) => page.objects.map(({ key }) => key))).toEqual(listed);
    });

    test("list() gathers what goes on after a delimiter, page by page", async () => {
      const pages = await pagesOf(await openFolder("list/"), { delimiter: "/", maxKeys: 1 });
      const folded = listed.filter((key) => key.split("/").length > 2);
      const prefixes = new Set(folded.map((key) => `${key.split("/").slice(0, 2).join("/")}/`));
      expect(pages.flatMap((page) => page.prefixes)).toEqual([...prefixes]);
      const plain = listed.filter((key) => !folded.includes(key));
      expect(pages.flatMap((page) => page.objects.map(({ key }) => key))).toEqual(plain);
    });

    test("list() keeps to a longer prefix, and refuses one outside of the folder", async () => {
      const folder = await openFolder("list/");
      const keys = (await pagesOf(folder, { prefix: "list/b/" })).flatMap((page) => page.objects);
      expect(keys.map(({ key }) => key)).toEqual(listed.filter((key) => key.startsWith("list/b/")));
      const problem = await problemIn(folder.list({ prefix: "lis" }, new AbortController().signal));
      expect(problem.code).toBe("bad-request");
    });

    test("list() of what is not there is empty, but a missing bucket is not found", async () => {
      expect(await pagesOf(await openFolder("nothing-begins-so"))).toEqual([{ objects: [], prefixes: [] }]);
      const problem = await problemIn(opener().openFolder(store.missingBucketUrl, rights()).then(pagesOf));
      expect(problem.code).toBe("source-not-found");
    });

    test("list() with wrong credentials is forbidden, and says no secret", async () => {
      for (const options of store.wrongOptions) {
        const problem = await problemIn(openFolder("list/", options).then(pagesOf));
        expect(problem.code).toBe("source-forbidden");
        expectNoSecret(problem, problem.stack);
      }
    });

    if (!continuesByName) return;

    test("list() goes on behind a name, also behind one that gathers many keys", async () => {
      const folder = await openFolder("list/");
      for (const [at, name] of listed.entries()) {
        const keys = (await pagesOf(folder, { after: { name } })).flatMap((page) => page.objects.map(({ key }) => key));
        expect(keys).toEqual(listed.slice(at + 1));
      }
      const pages = await pagesOf(folder, { delimiter: "/", after: { name: "list/b/" } });
      expect(pages.flatMap((page) => page.prefixes)).toEqual(listed.includes("list/c//d") ? ["list/c/"] : []);
      const plain = listed.filter((key) => /^list\/[～🙂]$/u.test(key));
      expect(pages.flatMap((page) => page.objects.map(({ key }) => key))).toEqual(plain);
    });

    test("list() of a folder goes on behind the empty object that stands for it", async () => {
      const folder = await openFolder("list/");
      const query = { prefix: "list/b/", delimiter: "/", after: { name: "list/b/" } };
      const keys = (await pagesOf(folder, query)).flatMap((page) => page.objects.map(({ key }) => key));
      expect(keys).toEqual(["list/b/1", "list/b/2"]);
    });
  });
}

/** A host whose own configuration must not matter. */
const SOMEBODY_ELSE: Record<string, string> = {
  HOME: "/nonexistent",
  AWS_ACCESS_KEY_ID: "somebody-else",
  AWS_SECRET_ACCESS_KEY: "somebody-else",
  AWS_ENDPOINT_URL: "http://127.0.0.1:1",
};
