import { describe, expect, test } from "bun:test";
import { DEFAULT_TRANSFER_POLICY } from "./policy.ts";
import { type News, type ReportView, reportPauseMs } from "./report-pace.ts";

const policy = {
  ...DEFAULT_TRANSFER_POLICY,
  tradeReportMs: 3000,
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
});

function pauseOf(news: News, view: Partial<ReportView> = {}): number {
  return reportPauseMs({ news, elapsedMs: 8000, gotCount: 50, missingCount: 100, ...view }, 200, policy);
}
