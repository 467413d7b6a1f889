import { expect, test } from "bun:test";
import { ReadBudget } from "./read-budget.ts";

const { signal } = new AbortController();

/** Enters in order, and notes who got in. */
function scene(limit: number) {
  const allowed = { limit };
  const budget = new ReadBudget(() => allowed.limit);
  const entered: string[] = [];
  const leaves = new Map<string, () => void>();
  const enter = (name: string, task: string, store = "store") =>
    budget.enter(store, task, signal).then((leave) => {
      entered.push(name);
      leaves.set(name, leave);
    });
  const leave = async (name: string) => {
    leaves.get(name)?.();
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { allowed, budget, entered, enter, leave };
}

test("ReadBudget lets as many reads of one store go as its limit, in turn", async () => {
  const { entered, enter, leave } = scene(2);
  await enter("a1", "a");
  await enter("a2", "a");
  const waiting = [enter("a3", "a"), enter("a4", "a")];
  await enter("elsewhere", "a", "another store");
  expect(entered).toEqual(["a1", "a2", "elsewhere"]);
  await leave("a1");
  expect(entered.at(-1)).toBe("a3");
  await leave("a2");
  await Promise.all(waiting);
  expect(entered.at(-1)).toBe("a4");
});

test("ReadBudget prefers the task that reads least", async () => {
  const { entered, enter, leave } = scene(3);
  await Promise.all([enter("a1", "a"), enter("a2", "a"), enter("b1", "b")]);
  const waiting = [enter("a3", "a"), enter("b2", "b"), enter("c1", "c")];
  await leave("a1");
  expect(entered.at(-1)).toBe("c1");
  await leave("a2");
  expect(entered.at(-1)).toBe("a3");
  await leave("c1");
  await Promise.all(waiting);
  expect(entered.at(-1)).toBe("b2");
});

test("ReadBudget forgets who gives up, and tells the reason", async () => {
  const { budget, entered, enter, leave } = scene(1);
  await enter("a1", "a");
  const giver = new AbortController();
  const given = budget.enter("store", "b", giver.signal);
  const waiting = enter("c1", "c");
  giver.abort(new Error("enough"));
  await expect(given).rejects.toThrow("enough");
  await expect(budget.enter("store", "b", giver.signal)).rejects.toThrow("enough");
  await leave("a1");
  await waiting;
  expect(entered).toEqual(["a1", "c1"]);
});

test("ReadBudget lets more in once its limit has grown", async () => {
  const { allowed, entered, enter, leave } = scene(1);
  await enter("a1", "a");
  const waiting = [enter("a2", "a"), enter("a3", "a")];
  allowed.limit = 3;
  await leave("a1");
  await Promise.all(waiting);
  expect(entered).toEqual(["a1", "a2", "a3"]);
});
