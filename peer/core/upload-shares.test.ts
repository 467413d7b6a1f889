import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { HostId } from "../../schema/ids.ts";
import { DEFAULT_UPLOAD_POLICY } from "./policy.ts";
import { UploadShares, uploadRefusal } from "./upload-shares.ts";

const MIB = 1024 * 1024;
const POLICY = { ...DEFAULT_UPLOAD_POLICY, keptSlotsShare: 0.5, waitGraceMs: 50 };
const children = ["a", "b", "c", "d", "e", "f"].map((letter) => letter.repeat(32) as HostId);
const [first = expect.unreachable(), second = expect.unreachable(), third = expect.unreachable()] = children;

describe("uploadRefusal()", () => {
  const request = { bytes: MIB, outstandingBytes: MIB, slots: 8, busySlots: 6 };

  test("keeps a free slot for each of those who wait with less, and for no other", () => {
    expect(uploadRefusal(request, [MIB], POLICY)).toBeUndefined();
    expect(uploadRefusal(request, [MIB, MIB], POLICY)).toBe("share");
    expect(uploadRefusal(request, [2 * MIB, 3 * MIB, 2 * MIB], POLICY)).toBeUndefined();
  });

  test("keeps none while less than half of them are busy: the link must have something to send", () => {
    const waiting = Array.from({ length: 20 }, () => MIB);
    expect(uploadRefusal({ ...request, busySlots: 4 }, waiting, POLICY)).toBe("share");
    expect(uploadRefusal({ ...request, busySlots: 3 }, waiting, POLICY)).toBeUndefined();
  });

  test("keeps none from a child with nothing on its way, however long its pieces are", () => {
    const waiting = Array.from({ length: 20 }, () => MIB);
    const long = { bytes: 16 * MIB, outstandingBytes: 0, slots: 8, busySlots: 7 };
    expect(uploadRefusal(long, waiting, POLICY)).toBeUndefined();
    expect(uploadRefusal({ ...long, outstandingBytes: 16 * MIB }, waiting, POLICY)).toBe("share");
  });

  const requests = fc.record({
    bytes: fc.integer({ min: 0, max: 64 * MIB }),
    outstandingBytes: fc.integer({ min: 0, max: 512 * MIB }),
    slots: fc.integer({ min: 1, max: 100 }),
    busySlots: fc.integer({ min: 0, max: 120 }),
  });
  const waiting = fc.array(fc.integer({ min: 0, max: 512 * MIB }), { maxLength: 40 });

  test("never gives more slots than there are, nor refuses one that is free to whoever has least", () => {
    fc.assert(
      fc.property(requests, waiting, (asked, others) => {
        const refusal = uploadRefusal(asked, others, POLICY);
        const own = asked.outstandingBytes + asked.bytes;
        if (asked.busySlots >= asked.slots) expect(refusal).toBe("slots");
        else if (others.every((bytes) => bytes >= own)) expect(refusal).toBeUndefined();
        else expect(refusal).not.toBe("slots");
      }),
    );
  });

  test("refuses nobody who asks for less when it lets in more, and does not depend on the order of those who wait", () => {
    fc.assert(
      fc.property(requests, waiting, fc.integer({ min: 0, max: MIB }), (asked, others, less) => {
        const refusal = uploadRefusal(asked, others, POLICY);
        expect(uploadRefusal(asked, others.toReversed(), POLICY)).toBe(refusal);
        const smaller = { ...asked, outstandingBytes: Math.max(0, asked.outstandingBytes - less) };
        if (refusal === undefined) expect(uploadRefusal(smaller, others, POLICY)).toBeUndefined();
      }),
    );
  });
});

describe("UploadShares", () => {
  const ask = (shares: UploadShares, child: HostId, outstandingBytes: number, busySlots: number, nowMs: number) =>
    shares.ask({ child, bytes: MIB, outstandingBytes, slots: 4, busySlots, retryMs: 100 }, nowMs);

  test("keeps the next free slot for the child that was refused, until it came or was to come", () => {
    const shares = new UploadShares(POLICY);
    expect(ask(shares, first, 0, 4, 0)).toBe("slots");
    expect(ask(shares, second, 3 * MIB, 3, 150)).toBe("share");
    // It has the same then: who comes first, comes first.
    expect(ask(shares, third, 0, 3, 150)).toBeUndefined();
    expect(ask(shares, second, 3 * MIB, 3, 151)).toBeUndefined();

    expect(ask(shares, first, 0, 4, 1000)).toBe("slots");
    expect(ask(shares, first, 0, 3, 1100)).toBeUndefined();
    expect(ask(shares, second, 3 * MIB, 3, 1100)).toBeUndefined();
  });

  test("forgets who waited longest rather than remember any number of them", () => {
    const shares = new UploadShares({ ...POLICY, waitingChildren: 1 });
    expect(ask(shares, first, 0, 4, 0)).toBe("slots");
    expect(ask(shares, second, 2 * MIB, 4, 0)).toBe("slots");
    expect(ask(shares, third, MIB, 3, 0)).toBeUndefined();
  });

  /** Each child has up to so many requests under way, all of one length, and asks again as soon as it may. */
  function servedBytes(limits: readonly number[], share: (held: number) => number): number[] {
    const shares = new UploadShares(POLICY);
    const slots = 14;
    const underWay: number[] = [];
    const counts = limits.map(() => 0);
    const restUntil = limits.map(() => 0);
    const held = limits.map(() => 0);
    // Each turn the oldest request ends, and takes 10 ms.
    for (let turn = 0; turn < 2000; turn++) {
      for (let n = 0; n < limits.length; n++) {
        // Nobody is always the first to ask.
        const child = (turn + n) % limits.length;
        const limit = limits[child] ?? 0;
        while ((held[child] ?? 0) < limit && (restUntil[child] ?? 0) <= turn) {
          const host = children[child] ?? expect.unreachable();
          const outstandingBytes = share(held[child] ?? 0);
          const request = { child: host, bytes: MIB, outstandingBytes, slots, busySlots: underWay.length, retryMs: 50 };
          if (shares.ask(request, turn * 10) === undefined) {
            underWay.push(child);
            held[child] = (held[child] ?? 0) + 1;
          } else restUntil[child] = turn + 5;
        }
      }
      const done = underWay.shift() ?? expect.unreachable();
      held[done] = (held[done] ?? 0) - 1;
      counts[done] = (counts[done] ?? 0) + 1;
    }
    return counts;
  }

  test("gives a child with many downloads no more of the uplink than one with few, as far as that can use it", () => {
    const greedy = [20, 4, 4, 4];
    const [most = 0, ...others] = servedBytes(greedy, (held) => held * MIB);
    for (const count of others) expect(count / most).toBeGreaterThan(0.8);
    const [unshared = 0, ...rest] = servedBytes(greedy, () => 0);
    expect(Math.min(...rest) / unshared).toBeLessThan(Math.min(...others) / most);
  });

  test("keeps the uplink busy, and serves children that want the same about the same", () => {
    const counts = servedBytes([6, 6, 6, 6, 6, 6], (held) => held * MIB);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2000);
    expect(Math.min(...counts) / Math.max(...counts)).toBeGreaterThan(0.7);
  });
});
