import { beforeAll, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { type FakeGcs, findGo, startFakeGcs } from "../fixtures/fake-gcs.ts";
import { bytesOf, pagesOf, problemIn, sourceOpener, statOf } from "../fixtures/opened-source.ts";

const SETUP_MS = 600_000;
const CONTENT = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 31) % 251);
const KEYS = ["a b+c=d%25é~!'()*.bin", "plain.bin", "what?who#where&k=v;x,y@z$:", "ünïcödé/日本語/🙂"];

const go = await findGo();
if (go === undefined) console.warn("SKIPPED: fake-gcs-server needs Go, which is not on the PATH (https://go.dev/dl)");

describe.skipIf(go === undefined)("an emulator that STORAGE_EMULATOR_HOST names", () => {
  let emulator: FakeGcs;
  beforeAll(async () => {
    emulator = await startFakeGcs(go ?? "");
    await emulator.createBucket("bucket");
    for (const key of KEYS) await emulator.put("bucket", key, CONTENT);
  }, SETUP_MS);

  const opener = () => sourceOpener({ env: { HOME: "/nonexistent", STORAGE_EMULATOR_HOST: emulator.host } });

  test.each(KEYS)("reads the key %j", async (key) => {
    const source = await opener().open(`gs://bucket/${key}`);
    const stat = await statOf(source);
    expect([stat.sizeBytes, stat.ranged]).toEqual([100_000, true]);
    expect(await bytesOf(source, { start: 1000, end: 3000 }, stat)).toEqual(CONTENT.slice(1000, 3000));
  });

  test("lists what begins alike, and folds it at a delimiter", async () => {
    const folder = await opener().openFolder("gs://bucket/");
    const keys = (await pagesOf(folder)).flatMap((page) => page.objects.map((object) => object.key));
    expect(keys).toEqual(expect.arrayContaining(KEYS));
    const [page] = await pagesOf(folder, { delimiter: "/" });
    expect(page?.prefixes).toEqual(["ünïcödé/"]);
  });

  test("an object that was stored compressed is read as it is stored", async () => {
    const packed = gzipSync(CONTENT);
    await emulator.put("bucket", "packed.gz", packed, "gzip");
    const source = await opener().open("gs://bucket/packed.gz");
    expect(await bytesOf(source)).toEqual(Uint8Array.from(packed));
  });

  test("a generation pins the content, and another one is not found", async () => {
    await emulator.put("bucket", "versioned", CONTENT);
    const head = await fetch(`http://${emulator.host}/bucket/versioned`, { method: "HEAD" });
    const generation = head.headers.get("x-goog-generation");
    const source = await opener().open(`gs://bucket/versioned?generation=${generation}`);
    expect(await bytesOf(source)).toEqual(CONTENT);
    expect((await problemIn(opener().open("gs://bucket/versioned?generation=7").then(statOf))).code).toBe(
      "source-not-found",
    );
  });
});
