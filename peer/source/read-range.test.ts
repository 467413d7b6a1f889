import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Behaviour, type FaultyFile, FaultySource } from "../../tests/fixtures/faulty-source.ts";
import { bytesOf, never, problemIn, sourceOpener, statOf } from "../../tests/fixtures/opened-source.ts";
import { DEFAULT_SOURCE_POLICY } from "./source-io.ts";

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

test("read() gives exactly the bytes of a range", async () => {
  const source = await sourceOpener().open(serve({}).url);
  expect(await bytesOf(source)).toEqual(CONTENT);
  expect(await bytesOf(source, { start: 1234, end: 77_777 })).toEqual(CONTENT.slice(1234, 77_777));
  expect(await bytesOf(source, { start: 99_999, end: 100_000 })).toEqual(CONTENT.slice(99_999));
  expect(await bytesOf(source, { start: 5, end: 5 })).toHaveLength(0);
});

test("read() asks for bytes as they are stored", async () => {
  const file = serve({});
  await bytesOf(await sourceOpener().open(file.url));
  expect(server.requests(file.path).map(({ headers }) => headers.get("accept-encoding"))).toEqual([
    "identity",
    "identity",
  ]);
});

test("read() resumes where the connection broke, as long as it goes on", async () => {
  const file = serve({ dropAfterBytes: 40_000, drops: 3 });
  const { open, waits } = sourceOpener();
  expect(await bytesOf(await open(file.url))).toEqual(CONTENT);
  const starts = file.asked().slice(1);
  expect(starts[0]).toBe("GET bytes=0-99999");
  expect(starts.length).toBe(waits.length + 1);
});

test("read() resumes at a source without ranges by skipping what it had", async () => {
  const file = serve({ dropAfterBytes: 90_000, drops: 2, ranges: "ignored", trickleBytes: 30_000 });
  expect(await bytesOf(await sourceOpener().open(file.url))).toEqual(CONTENT);
  expect(file.asked().slice(2)).toEqual(["GET null", "GET null"]);
});

test("read() resumes without ranges and validators only when the beginning is the same", async () => {
  const same = serve({ dropAfterBytes: 50_000, drops: 2, ranges: "ignored", etag: null, trickleBytes: 20_000 });
  expect(await bytesOf(await sourceOpener().open(same.url))).toEqual(CONTENT);
  const other = CONTENT.slice();
  other[7] = 0xee;
  // Piece by piece: a reset may overtake what was sent right before it.
  const changing: Behaviour = {
    content: CONTENT,
    dropAfterBytes: 50_000,
    trickleBytes: 20_000,
    ranges: "ignored",
    etag: null,
  };
  const url = server.serve("/changing", changing);
  const source = await sourceOpener().open(url);
  const stat = await source.stat(never());
  const read = source
    .read({ start: 0, end: CONTENT.length }, { signal: never(), expect: stat })
    [Symbol.asyncIterator]();
  await read.next();
  server.serve("/changing", { ...changing, content: other, dropAfterBytes: CONTENT.length });
  const rest = async () => {
    while (!(await read.next()).done);
  };
  expect((await problemIn(rest())).code).toBe("source-changed");
});

test("read() gives up on a source that always breaks off at once", async () => {
  const file = serve({ dropAfterBytes: 0 });
  const { open, waits } = sourceOpener();
  expect((await problemIn(bytesOf(await open(file.url)))).code).toBe("source-unreachable");
  expect(waits).toHaveLength(4);
});

test("read() outlives more broken connections than tries when each brought a megabyte", async () => {
  const content = new Uint8Array(12 * 1024 * 1024).fill(7);
  const file = serve({ content, dropAfterBytes: 1.5 * 1024 * 1024 });
  const { open, waits } = sourceOpener();
  expect((await bytesOf(await open(file.url))).length).toBe(content.length);
  expect(waits.length).toBeGreaterThan(5);
});

test.each([
  ["ignores Range", { ranges: "ignored" }, "source-lied", "ignores Range"],
  ["sends another range", { ranges: "wrong" }, "source-lied", "another range"],
  ["declares too little", { lengthError: -10 }, "source-lied", "length"],
  ["declares too much", { lengthError: 10 }, "source-lied", "length"],
  ["has another size for the same ETag", { sizeError: 10 }, "source-lied", "100010"],
  ["encodes the content", { headers: { "content-encoding": "br" } }, "source-lied", "encodes"],
  ["has another version", { etag: '"v2"' }, "source-changed", "changed"],
  ["has no such range any more", { content: CONTENT.slice(0, 10) }, "source-changed", "416"],
  ["is forbidden by now", { status: 403 }, "source-forbidden", "403"],
  ["is gone by now", { status: 404 }, "source-not-found", "404"],
] satisfies [string, Behaviour, string, string][])(
  "read() stops at a source that %s",
  async (_, behaviour, code, words) => {
    const file = serve({});
    const { open, waits } = sourceOpener();
    const source = await open(file.url);
    const stat = await statOf(source);
    server.serve(file.path, { content: CONTENT, ...behaviour });
    const problem = await problemIn(bytesOf(source, { start: 20, end: 50_000 }, stat));
    expect(problem.code).toBe(code as typeof problem.code);
    expect(problem.message).toContain(words);
    expect(waits).toEqual([]);
  },
);

test("read() stops in the middle when a resumed part is of another version", async () => {
  const file = serve({ dropAfterBytes: 60_000, changeAfterRequests: 2, trickleBytes: 20_000 });
  const source = await sourceOpener().open(file.url);
  expect((await problemIn(bytesOf(source))).code).toBe("source-changed");
});

test("read() tells a file that changed from a lie when only the size pins it", async () => {
  const file = serve({ etag: null });
  const source = await sourceOpener().open(file.url);
  const stat = await statOf(source);
  expect(stat.version).toBe("size:100000");
  server.serve(file.path, { etag: null, content: new Uint8Array(200_000) });
  expect((await problemIn(bytesOf(source, { start: 0, end: 10 }, stat))).code).toBe("source-changed");
});

test("read() does not take more bytes than were asked for", async () => {
  const file = serve({ ranges: "ignored", surplus: new Uint8Array(100) });
  const source = await sourceOpener().open(file.url);
  const stat = await statOf(source);
  server.serve(file.path, { content: CONTENT, ranges: "ignored", surplus: new Uint8Array(100), chunked: true });
  expect(await problemIn(bytesOf(source, undefined, stat))).toMatchObject({ code: "source-lied" });
});

test("read() takes a chunked reply that has the right length", async () => {
  const file = serve({});
  const source = await sourceOpener().open(file.url);
  const stat = await statOf(source);
  server.serve(file.path, { content: CONTENT, chunked: true });
  expect(await bytesOf(source, { start: 10, end: 90_000 }, stat)).toEqual(CONTENT.slice(10, 90_000));
});

test("read() tries again when the source falls silent", async () => {
  const file = serve({ dropAfterBytes: 10_000, silent: true, drops: 1 });
  const { open, waits } = sourceOpener({ policy: { ...DEFAULT_SOURCE_POLICY, stallTimeoutMs: 100 } });
  expect(await bytesOf(await open(file.url))).toEqual(CONTENT);
  expect(waits).toHaveLength(1);
  expect(file.asked()).toEqual(["HEAD null", "GET bytes=0-99999", "GET bytes=10000-99999"]);
});

const IMPATIENT = { ...DEFAULT_SOURCE_POLICY, slowAfterMs: 50, slowBps: 1024 * 1024 };

test("read() leaves a stream that has become slow for another from where it is", async () => {
  const file = serve({ dropAfterBytes: 10_000, silent: true, drops: 1 });
  const { open, waits } = sourceOpener({ policy: IMPATIENT });
  expect(await bytesOf(await open(file.url))).toEqual(CONTENT);
  expect(file.asked().slice(1)).toEqual(["GET bytes=0-99999", "GET bytes=10000-99999"]);
  expect(waits).toEqual([]);
});

test("read() gets to the end of a source that is slow altogether, with fewer and fewer further tries", async () => {
  const file = serve({ trickleBytes: 250 });
  const { open } = sourceOpener({ policy: IMPATIENT });
  expect(await bytesOf(await open(file.url))).toEqual(CONTENT);
  expect(file.asked().length).toBeGreaterThan(2);
  expect(file.asked().length).toBeLessThan(12);
});

test("read() does not call slow who takes the bytes slowly, nor a source without ranges", async () => {
  const slowReader = serve({});
  const source = await sourceOpener({ policy: IMPATIENT }).open(slowReader.url);
  const stat = await source.stat(never());
  for await (const _ of source.read({ start: 0, end: CONTENT.length }, { signal: never(), expect: stat })) {
    await Bun.sleep(80);
  }
  expect(slowReader.asked().slice(1)).toEqual(["GET bytes=0-99999"]);
  const rangeless = serve({ ranges: "ignored", trickleBytes: 1000 });
  expect(await bytesOf(await sourceOpener({ policy: IMPATIENT }).open(rangeless.url))).toEqual(CONTENT);
  expect(rangeless.asked().slice(2)).toEqual(["GET null"]);
});

test("read() calls a source that stays silent unreachable", async () => {
  const file = serve({ dropAfterBytes: 10_000, silent: true, drops: 9 });
  const { open } = sourceOpener({ policy: { ...DEFAULT_SOURCE_POLICY, stallTimeoutMs: 50, attempts: 2 } });
  const problem = await problemIn(bytesOf(await open(file.url)));
  expect(problem).toMatchObject({ code: "source-unreachable", detail: { tries: 2 } });
  expect(problem.message).toContain("sent nothing for 0.05 s");
});

test("read() closes the connection when the reader breaks off", async () => {
  const content = new Uint8Array(64 * 1024 * 1024);
  const file = serve({ content });
  const source = await sourceOpener().open(file.url);
  const stat = await statOf(source);
  const before = server.bodyBytes;
  for await (const _ of source.read({ start: 0, end: content.length }, { signal: never(), expect: stat })) break;
  await server.idle();
  expect(server.bodyBytes - before).toBeLessThan(content.length);
});

test("read() takes little more than its reader does", async () => {
  const large = serve({ content: new Uint8Array(96 * 1024 * 1024) });
  const source = await sourceOpener().open(large.url);
  const stat = await statOf(source);
  const before = server.bodyBytes;
  const slow = source
    .read({ start: 0, end: stat.sizeBytes }, { signal: never(), expect: stat })
    [Symbol.asyncIterator]();
  await slow.next();
  // Others read as much meanwhile, which leaves the server all the time it could want.
  const others = await sourceOpener().open(serve({ content: new Uint8Array(48 * 1024 * 1024) }).url);
  for (let round = 0; round < 2; round++) await bytesOf(others);
  const sent = server.bodyBytes - before - 2 * 48 * 1024 * 1024;
  await slow.return?.();
  expect(sent).toBeLessThan(32 * 1024 * 1024);
});

test("read() ends with the caller's reason when it aborts in the middle", async () => {
  const file = serve({ dropAfterBytes: 50_000, silent: true });
  const source = await sourceOpener().open(file.url);
  const stat = await statOf(source);
  const controller = new AbortController();
  const reason = new Error("enough");
  let received = 0;
  const reading = (async () => {
    for await (const chunk of source.read({ start: 0, end: 100_000 }, { signal: controller.signal, expect: stat })) {
      received += chunk.length;
      if (received === 50_000) queueMicrotask(() => controller.abort(reason));
    }
  })();
  expect(await reading.catch((error: unknown) => error)).toBe(reason);
  await server.idle();
});

test("read() does not start when the caller has aborted already", async () => {
  const file = serve({});
  const source = await sourceOpener().open(file.url);
  const aborted = AbortSignal.abort(new Error("too late"));
  await expect(source.stat(aborted)).rejects.toThrow("too late");
  expect(file.asked()).toEqual([]);
});

test("read() refuses ranges that make no sense as a mistake of ours", async () => {
  const source = await sourceOpener().open(serve({ ranges: "ignored" }).url);
  const expectStat = await statOf(source);
  for (const range of [
    { start: 0, end: 100_001 },
    { start: 5, end: 3 },
    { start: 0, end: 10 },
  ]) {
    await expect(bytesOf(source, range, expectStat)).rejects.toBeInstanceOf(RangeError);
  }
});

test("read() of many ranges at once asks a store no more than its budget at a time", async () => {
  const file = serve({ content: CONTENT, trickleBytes: 1000 });
  let active = 0;
  let most = 0;
  const { open } = sourceOpener({ policy: { ...DEFAULT_SOURCE_POLICY, readsPerStore: 3 } });
  const source = await open(file.url);
  const stat = await statOf(source);
  const reads = Array.from({ length: 8 }, async (_, at) => {
    const parts: Uint8Array[] = [];
    for await (const chunk of source.read({ start: at * 10, end: 100_000 }, { signal: never(), expect: stat })) {
      if (parts.length === 0) most = Math.max(most, ++active);
      parts.push(chunk);
      if (parts.length > 5) break;
    }
    active--;
  });
  await Promise.all(reads);
  expect(most).toBe(3);
});
