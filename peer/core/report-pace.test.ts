import { describe, expect, test } from "bun:test";
import { DEFAULT_TRANSFER_POLICY } from "./policy.ts";
import { type News, quietMs, type ReportView, reportPauseMs } from "./report-pace.ts";

const policy = {
  ...DEFAULT_TRANSFER_POLICY,
  tradeReportsPerTask: 10,
  tradeReportMs: 3000,
  tradeReportMaxMs: 10_000,
  leaseReportMs: 2000,
  digestReportMs: 1000,
  reportsPerTask: 32,
};

describe("reportPauseMs()", () => {
  test("leaves readers waiting for nothing, and is never over when nothing happened", () => {
    expect(pauseOf("urgent")).toBe(0);
    expect(pauseOf("none")).toBe(Number.POSITIVE_INFINITY);
  });

  test("lets what others cannot use wait longer the less it matters", () => {
    expect(pauseOf("leases")).toBe(2000);
    expect(pauseOf("trade")).toBe(3000);
  });

  test("spreads digests over the time the download takes", () => {
    // 16 s in all: half of it came in 8 s.
    expect(pauseOf("digests", { elapsedMs: 8000, gotCount: 50, missingCount: 100 })).toBe(500);
  });

  test("tells digests as soon as it may while a download begins", () => {
    expect(pauseOf("digests", { elapsedMs: 300, gotCount: 1, missingCount: 100 })).toBe(200);
  });

  test("tells digests of a long download no later than after a second", () => {
    expect(pauseOf("digests", { elapsedMs: 60_000, gotCount: 1, missingCount: 100 })).toBe(1000);
  });

  test("spreads what was only traded over the time the download takes, and over what it took so far", () => {
    // 80 s in all.
    expect(pauseOf("trade", { elapsedMs: 40_000 })).toBe(8000);
    expect(pauseOf("trade", { elapsedMs: 20_000, gotCount: 25 })).toBe(5000);
    expect(pauseOf("trade", { elapsedMs: 400_000 })).toBe(10_000);
  });

  test("tells it soon when nothing came for a while: somebody else may have more", () => {
    expect(pauseOf("trade", { elapsedMs: 40_000, gainlessMs: 3000 })).toBe(3000);
  });

  test("says that nothing comes when the scheduler thinks otherwise, and only then", () => {
    expect(pauseOf("none", { gainlessMs: 3000, toldQuietMs: 8000 })).toBe(200);
    expect(pauseOf("none", { gainlessMs: 2999, toldQuietMs: 8000 })).toBe(Number.POSITIVE_INFINITY);
    expect(pauseOf("none", { gainlessMs: 3000 })).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("quietMs()", () => {
  test("is the pause before the next report of trade while pieces come", () => {
    expect(quietMs(viewOf("trade", { elapsedMs: 40_000 }), policy)).toBe(8000);
    expect(quietMs(viewOf("digests"), policy)).toBe(3000);
  });

  test("is nothing before the first piece came, and when none comes any more", () => {
    expect(quietMs(viewOf("leases", { gotCount: 0 }), policy)).toBe(0);
    expect(quietMs(viewOf("trade", { gainlessMs: 3000 }), policy)).toBe(0);
  });
});

function pauseOf(news: News, view: Partial<ReportView> = {}): number {
  return reportPauseMs(viewOf(news, view), 200, policy);
}

function viewOf(news: News, view: Partial<ReportView> = {}): ReportView {
  return { news, elapsedMs: 8000, gotCount: 50, missingCount: 100, gainlessMs: 100, toldQuietMs: 0, ...view };
}
