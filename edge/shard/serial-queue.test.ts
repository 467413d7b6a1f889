import { expect, test } from "bun:test";
import { SerialQueue } from "./serial-queue.ts";

test("a job begins when those before it have ended, in the order they came, also when a job asks for another one", async () => {
  const queue = new SerialQueue();
  const seen: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const inner: unknown[] = [];
  const first = queue.run(async () => {
    seen.push("first begins");
    inner.push(queue.run(() => seen.push("asked for by the first")));
    await promise;
    seen.push("first ends");
  });
  const second = queue.run(() => seen.push("second"));
  resolve();
  await Promise.all([first, second, ...inner]);
  expect(seen).toEqual(["first begins", "first ends", "asked for by the first", "second"]);
});

test("a job that waits for nothing is done at once when there is no other", () => {
  const queue = new SerialQueue();
  expect(queue.run(() => 1)).toBe(1);
  expect(queue.run(() => 2)).toBe(2);
});

test("a job that fails fails for whoever asked for it, and the next one begins", async () => {
  const queue = new SerialQueue();
  const fail = () => {
    throw new Error("no");
  };
  expect(() => queue.run(fail)).toThrow("no");
  const outcomes = await Promise.allSettled([queue.run(async () => fail()), queue.run(fail), queue.run(() => 3)]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
  expect(queue.run(() => 4)).toBe(4);
});
