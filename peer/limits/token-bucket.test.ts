import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { TokenBucket } from "./token-bucket.ts";

const UNLIMITED = Number.POSITIVE_INFINITY;

describe("TokenBucket", () => {
  test("lets a quarter of a second's bytes go at once, and the next as tokens come in", () => {
    const bucket = new TokenBucket(1000, 0);
    expect(bucket.waitMs(250, 0)).toBe(0);
    bucket.spend(250, 0);
    expect(bucket.waitMs(100, 0)).toBe(100);
    expect(bucket.waitMs(100, 40)).toBe(60);
    expect(bucket.waitMs(100, 100)).toBe(0);
  });

  test("saves up no more than a quarter of a second's bytes, however long nobody asks", () => {
    const bucket = new TokenBucket(1000, 0);
    bucket.spend(250, 0);
    expect(bucket.isFull(249)).toBe(false);
    expect(bucket.isFull(250)).toBe(true);
    bucket.spend(250, 3_600_000);
    expect(bucket.waitMs(1, 3_600_000)).toBe(1);
  });

  test("lets more than it can save up go when it is full, and has the debt paid before the next", () => {
    const bucket = new TokenBucket(1000, 0);
    expect(bucket.waitMs(10_000, 0)).toBe(0);
    bucket.spend(10_000, 0);
    expect(bucket.waitMs(50, 0)).toBe(9800);
    expect(bucket.waitMs(50, 9800)).toBe(0);
  });

  test("never waits without a limit", () => {
    const bucket = new TokenBucket(UNLIMITED, 0);
    bucket.spend(1e15, 0);
    expect(bucket.waitMs(1e15, 0)).toBe(0);
    expect(bucket.isFull(0)).toBe(true);
  });

  test("counts what came in at the old rate when the rate changes, and keeps the debt", () => {
    const bucket = new TokenBucket(1000, 0);
    bucket.spend(1250, 0);
    bucket.setRate(100, 500);
    // 1000 owed, 500 of it paid at the old rate.
    expect(bucket.waitMs(1, 500)).toBe(5010);
    bucket.setRate(10_000, 500);
    expect(bucket.waitMs(1, 500)).toBe(51);
  });

  test("forgives the debt when the limit goes, and begins full when one comes", () => {
    const bucket = new TokenBucket(1000, 0);
    bucket.spend(100_000, 0);
    bucket.setRate(UNLIMITED, 10);
    expect(bucket.waitMs(1e9, 10)).toBe(0);
    bucket.setRate(1000, 20);
    expect(bucket.waitMs(250, 20)).toBe(0);
    bucket.spend(250, 20);
    expect(bucket.waitMs(250, 20)).toBe(250);
  });

  test("takes a clock that was set back for one that stood still", () => {
    const bucket = new TokenBucket(1000, 1000);
    bucket.spend(250, 1000);
    expect(bucket.waitMs(100, 500)).toBe(100);
    expect(bucket.waitMs(100, 600)).toBe(0);
  });

  test("lets no more than rate and burst go in any time, whoever asks for how much and when", () => {
    const step = fc.record({ pauseMs: fc.integer({ min: 0, max: 400 }), bytes: fc.integer({ min: 1, max: 500 }) });
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 1_000_000 }), fc.array(step, { maxLength: 60 }), (rateBps, steps) => {
        const bucket = new TokenBucket(rateBps, 0);
        const spent: { atMs: number; bytes: number }[] = [];
        let nowMs = 0;
        for (const { pauseMs, bytes } of steps) {
          nowMs += pauseMs;
          nowMs += bucket.waitMs(bytes, nowMs);
          bucket.spend(bytes, nowMs);
          spent.push({ atMs: nowMs, bytes });
        }
        for (const [from, first] of spent.entries()) {
          let total = 0;
          for (const { atMs, bytes } of spent.slice(from)) {
            total += bytes;
            // The last to go may have been larger than the burst.
            const allowed = (rateBps * (atMs - first.atMs + 250)) / 1000 + 500;
            if (total > allowed + 1e-6) throw new Error(`${total} bytes in ${atMs - first.atMs} ms`);
          }
        }
      }),
    );
  });
});
