import { describe, expect, test } from "bun:test";
import { type ParentRest, restAfter } from "./parent-rest.ts";
import { DEFAULT_TRANSFER_POLICY as POLICY } from "./policy.ts";

const FRESH: ParentRest = { failures: 0, restUntilMs: 0 };

describe("restAfter()", () => {
  test("lets a parent rest twice as long with each failure in a row, and gives it up after parentFailures", () => {
    let rest = restAfter(FRESH, "unreachable", POLICY, 1000);
    const rests = [rest.restUntilMs - 1000];
    while (!rest.isLost) {
      const nowMs = rest.restUntilMs;
      rest = restAfter(rest, "unreachable", POLICY, nowMs);
      rests.push(rest.restUntilMs - nowMs);
    }
    expect(rests).toEqual([2, 4, 8, 16, 32].map((times) => times * POLICY.parentBackoffMs));
    expect(rest.failures).toBe(POLICY.parentFailures);
  });

  test("gives a parent up sooner where nobody listens any more", () => {
    const once = restAfter(FRESH, "unreachable", POLICY, 1000);
    expect(restAfter(once, "gone", POLICY, once.restUntilMs).isLost).toBe(true);
  });

  test("counts what fails while a parent rests as the failure for which it rests", () => {
    const once = restAfter(FRESH, "unreachable", POLICY, 1000);
    expect(restAfter(once, "unreachable", POLICY, 1001)).toEqual({ ...once, isLost: false });
  });

  test("takes a busy parent at its word, within bounds, and does not hold it against it", () => {
    expect(restAfter(FRESH, "busy", POLICY, 1000, 70)).toEqual({ failures: 0, restUntilMs: 1070, isLost: false });
    expect(restAfter(FRESH, "share", POLICY, 1000, 70)).toEqual(restAfter(FRESH, "busy", POLICY, 1000, 70));
    expect(restAfter(FRESH, "busy", POLICY, 1000).restUntilMs).toBe(1000 + POLICY.parentBackoffMs);
    expect(restAfter(FRESH, "busy", POLICY, 1000, 1e6).restUntilMs).toBe(1000 + POLICY.busyRestMaxMs);
  });
});
