import { describe, expect, test } from "bun:test";
import { SharedAnswers } from "./shared-answers.ts";

const answers = (maxSize = 100) =>
  new SharedAnswers<{ readonly size: number }>({ maxAnswers: 10, maxSize, sizeOf: ({ size }) => size });
const HOUR_MS = 3_600_000;
const never = new AbortController().signal;

describe("SharedAnswers", () => {
  test("asks once for all who ask while nobody has answered, and for a time after", async () => {
    const shared = answers();
    const question = Promise.withResolvers<{ size: number }>();
    let asked = 0;
    const ask = () => {
      asked++;
      return question.promise;
    };
    const waiting = [1, 2, 3].map(() => shared.get("key", HOUR_MS, never, ask));
    question.resolve({ size: 1 });
    await Promise.all(waiting);
    await shared.get("key", HOUR_MS, never, ask);
    expect(asked).toBe(1);
    shared.forget("key");
    await shared.get("key", HOUR_MS, never, ask);
    expect(asked).toBe(2);
  });

  test("asks every time when nothing is to be shared, or when the last question failed", async () => {
    const shared = answers();
    let asked = 0;
    const ask = async () => {
      asked++;
      if (asked === 1) throw new Error("the store is down");
      return { size: 1 };
    };
    await expect(shared.get("key", HOUR_MS, never, ask)).rejects.toThrow("the store is down");
    await shared.get("key", 0, never, ask);
    await shared.get("key", 0, never, ask);
    expect(asked).toBe(3);
  });

  test("keeps no more than its bound, and answers all the same", async () => {
    const shared = answers(5);
    let asked = 0;
    const ask = async () => {
      asked++;
      return { size: 3 };
    };
    for (const key of ["a", "b", "a"]) expect(await shared.get(key, HOUR_MS, never, ask)).toEqual({ size: 3 });
    expect(asked).toBe(3);
    expect(await shared.get("huge", HOUR_MS, never, async () => ({ size: 50 }))).toEqual({ size: 50 });
  });

  test("lets one who leaves leave, and the others have their answer", async () => {
    const shared = answers();
    const question = Promise.withResolvers<{ size: number }>();
    const leaving = new AbortController();
    const left = shared.get("key", HOUR_MS, leaving.signal, () => question.promise);
    const stays = shared.get("key", HOUR_MS, never, () => question.promise);
    leaving.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    question.resolve({ size: 1 });
    expect(await stays).toEqual({ size: 1 });
  });
});
