import { describe, expect, test } from "bun:test";
import { RequestBudget } from "./request-budget.ts";

const KIB = 1024;

/** Downloads of one budget. Each begins what it may as soon as it is woken, and notes it. */
function downloadsOf(budget: RequestBudget) {
  const begun: string[] = [];
  const under: { name: string; end: () => void }[] = [];
  const start = (name: string, bytes: number, wanted: number) => {
    let left = wanted;
    const plan = () => {
      const spare = budget.spareFor(plan, bytes);
      if (spare === 0) return budget.wait(plan);
      const count = Math.min(spare, left);
      for (let n = 0; n < count; n++) {
        begun.push(name);
        const place = budget.take(bytes);
        under.push({ name, end: () => place[Symbol.dispose]() });
      }
      left -= count;
      budget.leave(plan);
      if (count === spare) budget.wait(plan);
    };
    plan();
    return { plan, leave: () => budget.leave(plan) };
  };
  /** The oldest request ends; gives what began meanwhile. */
  const endOne = () => {
    begun.length = 0;
    under.shift()?.end();
    return begun.join(" ");
  };
  return { begun, under, start, endOne };
}

describe("RequestBudget", () => {
  test("bounds requests and bytes over all downloads", () => {
    const budget = new RequestBudget({ requests: 4, bytes: 1024 * KIB });
    const { under, start } = downloadsOf(budget);
    start("a", 256 * KIB, 3);
    expect(under.length).toBe(3);
    start("b", 512 * KIB, 1);
    // One request would do, the bytes do not.
    expect(under.length).toBe(3);
    const small = new RequestBudget({ requests: 2, bytes: 1024 * KIB });
    const others = downloadsOf(small);
    others.start("a", KIB, 10);
    expect(others.under.length).toBe(2);
  });

  test("gives what comes free to each in turn", () => {
    const { start, endOne } = downloadsOf(new RequestBudget({ requests: 2, bytes: 1024 * KIB }));
    for (const name of ["a", "b", "c"]) start(name, KIB, 10);
    expect(Array.from({ length: 6 }, endOne)).toEqual(["a", "b", "c", "a", "b", "c"]);
  });

  test("keeps the place of one that needs much, and lets nobody pass it", () => {
    const { start, endOne } = downloadsOf(new RequestBudget({ requests: 8, bytes: 4 * KIB }));
    start("small", KIB, 4);
    start("large", 3 * KIB, 1);
    const other = start("other", KIB, 1);
    // Asking again does not help.
    expect(endOne()).toBe("");
    other.plan();
    expect(endOne()).toBe("");
    expect(endOne()).toBe("large");
    expect(endOne()).toBe("other");
  });

  test("passes over one that has left, and over one that wants nothing any more", () => {
    const { start, endOne } = downloadsOf(new RequestBudget({ requests: 1, bytes: 4 * KIB }));
    start("a", KIB, 1);
    const left = start("left", KIB, 1);
    start("satisfied", KIB, 0);
    start("b", KIB, 1);
    left.leave();
    expect(endOne()).toBe("b");
  });

  test("allows a single request that is larger than the whole budget", () => {
    const { under, start, endOne } = downloadsOf(new RequestBudget({ requests: 8, bytes: 4 * KIB }));
    start("huge", 64 * KIB, 2);
    expect(under.length).toBe(1);
    expect(endOne()).toBe("huge");
  });

  test("takes other limits at once", () => {
    const budget = new RequestBudget({ requests: 1, bytes: 64 * KIB });
    const { under, start, endOne } = downloadsOf(budget);
    start("a", KIB, 6);
    expect(under.length).toBe(1);
    budget.set({ requests: 4, bytes: 64 * KIB });
    expect(under.length).toBe(4);
    budget.set({ requests: 2, bytes: 64 * KIB });
    expect([endOne(), endOne(), endOne()]).toEqual(["", "", "a"]);
  });
});
