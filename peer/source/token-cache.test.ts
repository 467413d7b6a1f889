import { expect, test } from "bun:test";
import { TokenCache } from "./token-cache.ts";

test("a token is fetched once for all who ask, and anew shortly before it expires", async () => {
  let nowMs = 0;
  let fetched = 0;
  const cache = new TokenCache(() => nowMs);
  const ask = () => cache.get("id", async () => ({ token: `token-${++fetched}`, expiresAtMs: nowMs + 3_600_000 }));
  expect(await Promise.all([ask(), ask(), ask()])).toEqual(["token-1", "token-1", "token-1"]);
  nowMs = 3_000_000;
  expect(await ask()).toBe("token-1");
  nowMs = 3_500_000;
  expect(await ask()).toBe("token-2");
});

test("a failure to fetch a token is not remembered", async () => {
  const cache = new TokenCache(() => 0);
  await expect(cache.get("id", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await cache.get("id", async () => ({ token: "yes", expiresAtMs: 3_600_000 }))).toBe("yes");
});
