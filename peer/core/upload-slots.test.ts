import { expect, test } from "bun:test";
import { DEFAULT_UPLOAD_POLICY } from "./policy.ts";
import { slotRetryMs } from "./upload-slots.ts";

test("slotRetryMs() is the time in which a quarter of the slots come free, within bounds", () => {
  const policy = { ...DEFAULT_UPLOAD_POLICY, retryMs: 250, retryMinMs: 50, retryMaxMs: 1000, retrySlotsShare: 0.25 };
  expect(slotRetryMs(16, 10, policy)).toBe(400);
  expect(slotRetryMs(16, 1000, policy)).toBe(50);
  expect(slotRetryMs(16, 0.1, policy)).toBe(1000);
  expect(slotRetryMs(16, 0, policy)).toBe(250);
});
