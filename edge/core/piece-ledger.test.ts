import { describe, expect, test } from "bun:test";
import { NO_LEASE, PieceLedger } from "./piece-ledger.ts";

describe("PieceLedger", () => {
  test("nextRun() gives pieces in file order, and stops at one that is held or leased", () => {
    const ledger = new PieceLedger(10);
    ledger.hold(0);
    ledger.lease(4, 1);
    expect(ledger.nextRun(8)).toEqual({ firstPiece: 1, pieceCount: 3 });
    expect(ledger.nextRun(2)).toEqual({ firstPiece: 1, pieceCount: 2 });
  });

  test("nextRun() from a piece on gives the first it finds there, and nothing before it", () => {
    const ledger = new PieceLedger(10);
    ledger.lease(5, 1);
    expect(ledger.nextRun(3, 5)).toEqual({ firstPiece: 6, pieceCount: 3 });
    for (const piece of [6, 7, 8, 9]) ledger.hold(piece);
    expect(ledger.nextRun(3, 5)).toBeUndefined();
    expect(ledger.nextRun(3)).toEqual({ firstPiece: 0, pieceCount: 3 });
  });

  test("nextRun() gives nothing when every piece is held or leased", () => {
    const ledger = new PieceLedger(2);
    ledger.hold(0);
    ledger.lease(1, 1);
    expect(ledger.nextRun(8)).toBeUndefined();
    expect(new PieceLedger(0).nextRun(8)).toBeUndefined();
  });

  test("a piece that its last holder loses can be leased again, before all later ones", () => {
    const ledger = new PieceLedger(5);
    for (const piece of [0, 1, 2]) ledger.hold(piece);
    ledger.hold(1);
    expect(ledger.nextRun(1)).toEqual({ firstPiece: 3, pieceCount: 1 });
    ledger.release(1);
    expect(ledger.nextRun(1)).toEqual({ firstPiece: 3, pieceCount: 1 });
    ledger.release(1);
    expect(ledger.nextRun(5)).toEqual({ firstPiece: 1, pieceCount: 1 });
    expect(ledger.leasableCount).toBe(3);
    expect(ledger.unheldCount).toBe(3);
  });

  test("a piece whose lease ends can be leased again unless somebody holds it", () => {
    const ledger = new PieceLedger(2);
    ledger.lease(0, 7);
    ledger.lease(1, 7);
    ledger.hold(1);
    ledger.unlease(0);
    ledger.unlease(1);
    expect(ledger.leaseOf(0)).toBe(NO_LEASE);
    expect(ledger.isLeasable(0)).toBe(true);
    expect(ledger.isLeasable(1)).toBe(false);
    expect(ledger.leasableCount).toBe(1);
  });

  test("a held piece can be leased too, and is not counted as leasable before or after", () => {
    const ledger = new PieceLedger(2);
    ledger.hold(1);
    ledger.lease(1, 7);
    expect([ledger.leasableCount, ledger.unheldCount]).toEqual([1, 1]);
    ledger.release(1);
    expect([ledger.leasableCount, ledger.unheldCount]).toEqual([1, 2]);
    ledger.hold(1);
    ledger.unlease(1);
    expect([ledger.leasableCount, ledger.unheldCount]).toEqual([1, 1]);
  });

  test("refuses what would make a piece read twice or held less than never", () => {
    const ledger = new PieceLedger(2);
    ledger.lease(0, 1);
    ledger.hold(1);
    expect(() => ledger.lease(0, 2)).toThrow(RangeError);
    expect(() => ledger.release(0)).toThrow(RangeError);
    expect(() => ledger.unlease(1)).toThrow(RangeError);
  });

  test("leasing the longest task piece by piece stays fast: the search goes on where it was", () => {
    const ledger = new PieceLedger(1 << 20);
    let runs = 0;
    for (let run = ledger.nextRun(16); run !== undefined; run = ledger.nextRun(16)) {
      for (let piece = run.firstPiece; piece < run.firstPiece + run.pieceCount; piece++) ledger.lease(piece, 1);
      runs++;
    }
    expect(runs).toBe(1 << 16);
    expect(ledger.leasableCount).toBe(0);
  });
});
