import { expect, test } from "bun:test";
import type { TaskId } from "../../schema/ids.ts";
import type { Source, SourceStat } from "../source/source.ts";
import { pacedSource } from "./paced-source.ts";
import { RateLimit } from "./rate-limit.ts";

const UNLIMITED = Number.POSITIVE_INFINITY;
const KIB = 1024;
const task = "a".repeat(64) as TaskId;
const stat: SourceStat = { sizeBytes: 600 * KIB, version: 'etag:"1"', ranged: true };

/** Two chunks, and what became of their reader. */
function aSource() {
  const seen = { read: 0, closed: false };
  const source: Source = {
    location: "http://store/file",
    displayUrl: "http://store/file",
    portableRequest: { url: "http://store/file", headers: {}, tag: "", application: "" },
    stat: async () => stat,
    async *read() {
      try {
        for (const length of [512 * KIB, 88 * KIB]) {
          seen.read += length;
          yield new Uint8Array(length).fill(seen.read / KIB);
        }
      } finally {
        seen.closed = true;
      }
    },
  };
  return { source, seen };
}

function read(source: Source, signal: AbortSignal = new AbortController().signal) {
  return source.read({ start: 0, end: stat.sizeBytes }, { signal, expect: stat })[Symbol.asyncIterator]();
}

async function lengthsOf(chunks: AsyncIterator<Uint8Array>): Promise<number[]> {
  const lengths: number[] = [];
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) lengths.push(next.value.length / KIB);
  return lengths;
}

test("pacedSource() passes chunks on as they are without a limit", async () => {
  const limit = new RateLimit({ hostBps: UNLIMITED, taskBps: UNLIMITED }, () => 0);
  const { source } = aSource();
  const paced = pacedSource(source, task, [limit]);
  expect(await lengthsOf(read(paced))).toEqual([512, 88]);
  expect(await paced.stat(new AbortController().signal)).toEqual(stat);
  expect(paced).toMatchObject({ location: source.location, portableRequest: source.portableRequest });
});

test("pacedSource() lets grains go as every limit allows, and reads no further meanwhile", async () => {
  let nowMs = 0;
  const wide = new RateLimit({ hostBps: 16 * KIB * KIB, taskBps: UNLIMITED }, () => nowMs);
  const narrow = new RateLimit({ hostBps: UNLIMITED, taskBps: KIB * KIB }, () => nowMs);
  const { source, seen } = aSource();
  const chunks = read(pacedSource(source, task, [wide, narrow]));
  // What a quarter of a second brings goes at once.
  for (let grains = 0; grains < 32; grains++) expect((await chunks.next()).value?.length).toBe(8 * KIB);
  let gone = false;
  const next = chunks.next().finally(() => {
    gone = true;
  });
  for (let turns = 0; turns < 20; turns++) await Promise.resolve();
  expect([gone, seen.read]).toEqual([false, 512 * KIB]);
  nowMs = 10;
  narrow.set({ hostBps: UNLIMITED, taskBps: KIB * KIB });
  expect((await next).value?.length).toBe(8 * KIB);
  // Lifted, the rest comes as it is.
  narrow.set({ hostBps: UNLIMITED, taskBps: UNLIMITED });
  wide.set({ hostBps: UNLIMITED, taskBps: UNLIMITED });
  expect(await lengthsOf(chunks)).toEqual([512 - 33 * 8, 88]);
});

test("pacedSource() lets the source go when whoever waits has left", async () => {
  const limit = new RateLimit({ hostBps: 64 * KIB, taskBps: UNLIMITED }, () => 0);
  const { source, seen } = aSource();
  const leaving = new AbortController();
  const reading = lengthsOf(read(pacedSource(source, task, [limit]), leaving.signal));
  leaving.abort(new Error("the download was cancelled"));
  await expect(reading).rejects.toThrow("the download was cancelled");
  expect(seen.closed).toBe(true);
});
