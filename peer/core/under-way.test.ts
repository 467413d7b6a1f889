import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { HostId } from "../../schema/ids.ts";
import { DEFAULT_UPLOAD_POLICY } from "./policy.ts";
import { UnderWay } from "./under-way.ts";

const POLICY = { ...DEFAULT_UPLOAD_POLICY, guessedUploadMs: 1000, uploadPaceMs: 100, longestUploadMs: 10_000 };
const children = ["a", "b", "c"].map((letter) => letter.repeat(32) as HostId);
const [one = expect.unreachable(), two = expect.unreachable(), three = expect.unreachable()] = children;

/** Asks for one more, as a child with so much on its way. */
function ask(underWay: UnderWay, child: HostId, outstandingBytes: number, nowMs: number, bytes = 100): void {
  underWay.heard(child, outstandingBytes, nowMs);
  underWay.granted(child, bytes, nowMs);
}

describe("UnderWay", () => {
  test("counts what was granted until the child says that it came", () => {
    const underWay = new UnderWay(POLICY);
    ask(underWay, one, 0, 0);
    ask(underWay, one, 100, 1);
    ask(underWay, two, 0, 1);
    expect(underWay.count(1)).toBe(3);
    ask(underWay, one, 100, 2);
    expect(underWay.count(2)).toBe(3);
    underWay.heard(one, 0, 3);
    expect(underWay.count(3)).toBe(1);
  });

  test("guesses when it comes to a child whose pace is not known", () => {
    const underWay = new UnderWay(POLICY);
    ask(underWay, one, 0, 0);
    ask(underWay, one, 100, 0);
    expect([499, 500, 999, 1000].map((nowMs) => underWay.count(nowMs))).toEqual([2, 1, 1, 0]);
  });

  test("goes by the pace at which what was on its way came, not by that of a child which asked late", () => {
    const underWay = new UnderWay(POLICY);
    for (const outstanding of [0, 100, 200]) ask(underWay, one, outstanding, 0);
    // One hundred bytes in 2 s, while more was on its way.
    underWay.heard(one, 200, 2000);
    expect([3999, 4000, 5999, 6000].map((nowMs) => underWay.count(nowMs))).toEqual([2, 1, 1, 0]);

    ask(underWay, two, 0, 2000);
    // It may have come long ago.
    ask(underWay, two, 0, 8000);
    expect([8999, 9000].map((nowMs) => underWay.count(nowMs))).toEqual([1, 0]);
  });

  test("nobody is taken for standing still of whom nothing has come yet", () => {
    const underWay = new UnderWay(POLICY);
    ask(underWay, one, 0, 0);
    ask(underWay, one, 100, 400);
    expect([1399, 1400].map((nowMs) => underWay.count(nowMs))).toEqual([1, 0]);
  });

  test("a child that says everything is still on its way is not believed for ever", () => {
    const underWay = new UnderWay(POLICY);
    for (let nowMs = 0; nowMs < 60_000; nowMs += 1000) {
      ask(underWay, one, Number.MAX_SAFE_INTEGER, nowMs);
      expect(underWay.count(nowMs)).toBeLessThanOrEqual(10);
    }
  });

  test("remembers the children that were heard last, and no more of them than it is told", () => {
    const underWay = new UnderWay({ ...POLICY, countedChildren: 2 });
    for (const child of [one, two, one, three]) ask(underWay, child, 0, 0);
    expect(underWay.count(0)).toBe(2);
    underWay.granted(two, 100, 0);
    expect(underWay.count(0)).toBe(2);
  });

  test("keeps close to what a line has still to send, whatever its children ask and when", () => {
    const asks = fc.array(
      fc.record({ child: fc.integer({ min: 0, max: 2 }), pauseMs: fc.integer({ min: 0, max: 400 }) }),
      { minLength: 100, maxLength: 200 },
    );
    fc.assert(
      fc.property(asks, fc.integer({ min: 1, max: 50 }), (all, bytesPerMs) => {
        const underWay = new UnderWay(DEFAULT_UPLOAD_POLICY);
        const pieceBytes = 4000;
        const left = children.map(() => 0);
        let nowMs = 0;
        let difference = 0;
        for (const { child, pauseMs } of all) {
          nowMs += pauseMs;
          for (const n of left.keys()) left[n] = Math.max(0, (left[n] ?? 0) - pauseMs * bytesPerMs);
          const pieces = left.map((bytes) => Math.ceil(bytes / pieceBytes));
          underWay.heard(children[child] ?? one, (pieces[child] ?? 0) * pieceBytes, nowMs);
          const count = underWay.count(nowMs);
          difference += count - pieces.reduce((sum, of) => sum + of, 0);
          if (count >= 14) continue;
          underWay.granted(children[child] ?? one, pieceBytes, nowMs);
          left[child] = (left[child] ?? 0) + pieceBytes;
        }
        expect(Math.abs(difference)).toBeLessThan(1.75 * all.length);
      }),
    );
  });
});
