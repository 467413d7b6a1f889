import { expect, test } from "bun:test";
import { closeReason } from "./close-reason.ts";

test("closeReason() keeps what fits a close frame and cuts the rest between characters", () => {
  expect(closeReason("replaced by a newer channel")).toBe("replaced by a newer channel");
  expect(closeReason("x".repeat(200))).toBe("x".repeat(123));
  expect(closeReason("é".repeat(100))).toBe("é".repeat(61));
});
