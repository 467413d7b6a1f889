import { describe, expect, test } from "bun:test";
import { Pacer } from "./pacer.ts";

const UNLIMITED = Number.POSITIVE_INFINITY;
const { signal } = new AbortController();

/** A pacer on a clock that stands still until it is told to go on. */
function pacerOf(rateBps: number) {
  const clock = { nowMs: 0 };
  const pacer = new Pacer(rateBps, () => clock.nowMs);
  const gone: string[] = [];
  const take = async (name: string, bytes: number, leaving: AbortSignal = signal) => {
    await pacer.take(bytes, leaving);
    gone.push(name);
  };
  /** Everybody whose turn came by then goes. */
  const at = async (nowMs: number) => {
    clock.nowMs = nowMs;
    pacer.setRate(pacer.rateBps);
    for (let turns = 0; turns < 5; turns++) await Promise.resolve();
    return gone.splice(0).join(" ");
  };
  return { pacer, take, at };
}

describe("Pacer", () => {
  test("lets bytes go in the order they were asked for, at the rate", async () => {
    const { take, at } = pacerOf(1000);
    void take("burst", 250);
    void take("a", 100);
    void take("b", 200);
    // Small enough to go before the others, but later.
    void take("c", 1);
    expect(await at(0)).toBe("burst");
    expect(await at(99)).toBe("");
    expect(await at(100)).toBe("a");
    expect(await at(299)).toBe("");
    expect(await at(300)).toBe("b");
    expect(await at(301)).toBe("c");
  });

  test("gives streams that ask over and over equal shares", async () => {
    const { take, at } = pacerOf(1000);
    await take("burst", 250);
    const stream = async (name: string, count: number) => {
      for (let taken = 0; taken < count; taken++) await take(name, 100);
    };
    void stream("a", 3);
    void stream("b", 3);
    await at(0);
    const order: string[] = [];
    for (let nowMs = 100; nowMs <= 600; nowMs += 100) order.push(await at(nowMs));
    expect(order.join(" ")).toBe("a b a b a b");
  });

  test("takes a new rate at once, also for those who wait", async () => {
    const { pacer, take, at } = pacerOf(10);
    void take("a", 1_000_000);
    void take("b", 1000);
    void take("c", 1);
    expect(await at(0)).toBe("a");
    pacer.setRate(UNLIMITED);
    expect(await at(0)).toBe("b c");
    pacer.setRate(1000);
    void take("d", 250);
    void take("e", 10);
    expect(await at(0)).toBe("d");
    expect(await at(10)).toBe("e");
  });

  test("lets who leaves pay nothing, and the next go in its place", async () => {
    const { pacer, take, at } = pacerOf(1000);
    const leaving = new AbortController();
    await take("burst", 250);
    const left = take("left", 200, leaving.signal);
    void take("next", 50);
    expect(await at(60)).toBe("burst");
    leaving.abort(new Error("the reader has left"));
    await expect(left).rejects.toThrow("the reader has left");
    expect(await at(60)).toBe("next");
    await expect(pacer.take(1, leaving.signal)).rejects.toThrow("the reader has left");
  });

  test("is idle once nobody waits and everything is paid", async () => {
    const { pacer, take, at } = pacerOf(1000);
    expect(pacer.idle).toBe(true);
    void take("a", 250);
    void take("b", 100);
    expect(pacer.idle).toBe(false);
    expect(await at(100)).toBe("a b");
    expect(pacer.idle).toBe(false);
    await at(350);
    expect(pacer.idle).toBe(true);
  });

  test("wakes by itself when the time has come", async () => {
    const pacer = new Pacer(1_000_000, () => performance.now());
    for (let taken = 0; taken < 4; taken++) await pacer.take(100_000, signal);
  });
});
