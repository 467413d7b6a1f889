import { expect, test } from "bun:test";
import type { Source, SourceStat } from "./source.ts";
import { StoreBudgets } from "./store-budgets.ts";
import type { StoreRule } from "./store-rule.ts";

const { signal } = new AbortController();
const stat: SourceStat = { sizeBytes: 1_000_000, version: "size:1000000", ranged: true };
const KIB = 1024;

/** A source that gives 16 KiB at a time, and tells how many reads of it go on. */
function aSource() {
  const reads = { active: 0, most: 0 };
  const source: Source = {
    location: "s3://store.example/bucket/key",
    displayUrl: "s3://bucket/key",
    portableRequest: { url: "s3://bucket/key", headers: {}, tag: "", application: "" },
    stat: async () => stat,
    async *read() {
      reads.most = Math.max(reads.most, ++reads.active);
      for (let n = 0; n < 4; n++) yield new Uint8Array(16 * KIB);
      reads.active--;
    },
  };
  return { source, reads };
}

async function lengthOf(source: Source): Promise<number> {
  let length = 0;
  for await (const chunk of source.read({ start: 0, end: 64 * KIB }, { signal, expect: stat })) length += chunk.length;
  return length;
}

test("a rule bounds the reads of its store at once, and a changed rule counts at once", async () => {
  let rule: StoreRule = { prefix: "s3://bucket", reads: 2 };
  const budgets = new StoreBudgets({ readsPerStore: 64, nowMs: () => 0 });
  const { source, reads } = aSource();
  const bounded = budgets.within(source, () => rule);
  const five = () => Promise.all([1, 2, 3, 4, 5].map(() => lengthOf(bounded)));
  expect(await five()).toEqual([1, 2, 3, 4, 5].map(() => 64 * KIB));
  expect(reads.most).toBe(2);
  rule = { prefix: "s3://bucket", reads: 4 };
  await five();
  expect(reads.most).toBe(4);
});

test("a rule bounds the bytes a second of its store until it says nothing of them any more", async () => {
  let rule: StoreRule | undefined = { prefix: "s3://bucket", rate: 16 * KIB };
  const budgets = new StoreBudgets({ readsPerStore: 64, nowMs: () => 0 });
  const bounded = budgets.within(aSource().source, () => rule);
  let length = 0;
  const read = bounded.read({ start: 0, end: 64 * KIB }, { signal, expect: stat })[Symbol.asyncIterator]();
  const next = async () => {
    const { value } = await read.next();
    length += value?.length ?? 0;
  };
  // The burst of a quarter of a second, and what is on top of it waits: this clock stands still.
  await next();
  const waiting = next();
  expect(await Promise.race([waiting.then(() => "read"), Bun.sleep(100).then(() => "waits")])).toBe("waits");
  rule = { prefix: "s3://bucket" };
  await lengthOf(bounded);
  await waiting;
  expect(length).toBeGreaterThan(0);
});

test("stores without a rule are told apart by their host", async () => {
  const budgets = new StoreBudgets({ readsPerStore: 1, nowMs: () => 0 });
  const { source, reads } = aSource();
  const elsewhere = { ...source, location: "s3://other.example/bucket/key" };
  await Promise.all([source, elsewhere].map((each) => lengthOf(budgets.within(each, () => undefined))));
  expect(reads.most).toBe(2);
});
