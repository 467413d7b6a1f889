import { expect, test } from "bun:test";
import { KeyCache, type TemporaryKeys } from "./key-cache.ts";

const MINUTE_MS = 60_000;

/** A provider whose keys live for a while, and a clock. */
function scene(life: "an hour" | "endless" = "an hour") {
  const clock = { nowMs: 1_000_000 };
  const cache = new KeyCache(() => clock.nowMs);
  const asked: number[] = [];
  const provider = {
    name: "a provider",
    id: "one",
    broken: false,
    ask: async (): Promise<TemporaryKeys> => {
      asked.push(clock.nowMs);
      if (provider.broken) throw new Error("broken");
      const expires = life === "endless" ? {} : { expiresAtMs: clock.nowMs + 60 * MINUTE_MS };
      return { accessKeyId: `key-${asked.length}`, secretAccessKey: "s", sessionToken: "t", ...expires };
    },
  };
  const keyId = async () => (await cache.get(provider)).accessKeyId;
  return { clock, asked, provider, keyId };
}

test("KeyCache asks once for all who need the keys, and again shortly before they expire", async () => {
  const { clock, keyId } = scene();
  expect(await Promise.all([keyId(), keyId(), keyId()])).toEqual(["key-1", "key-1", "key-1"]);
  clock.nowMs += 54 * MINUTE_MS;
  expect(await keyId()).toBe("key-1");
  clock.nowMs += 2 * MINUTE_MS;
  expect(await keyId()).toBe("key-2");
});

test("KeyCache asks for keys without an end again after a while", async () => {
  const { clock, keyId } = scene("endless");
  expect(await keyId()).toBe("key-1");
  clock.nowMs += 14 * MINUTE_MS;
  expect(await keyId()).toBe("key-1");
  clock.nowMs += 2 * MINUTE_MS;
  expect(await keyId()).toBe("key-2");
});

test("KeyCache uses the old keys while they live and the provider has trouble", async () => {
  const { clock, asked, provider, keyId } = scene();
  await keyId();
  provider.broken = true;
  clock.nowMs += 56 * MINUTE_MS;
  expect([await keyId(), await keyId()]).toEqual(["key-1", "key-1"]);
  expect(asked).toHaveLength(2);
  clock.nowMs += 2 * MINUTE_MS;
  provider.broken = false;
  expect(await keyId()).toBe("key-3");
});

test("KeyCache does not ask a provider again at once that has no keys", async () => {
  const { clock, asked, provider, keyId } = scene();
  provider.broken = true;
  await expect(keyId()).rejects.toThrow("broken");
  await expect(keyId()).rejects.toThrow("broken");
  expect(asked).toHaveLength(1);
  provider.broken = false;
  clock.nowMs += 61_000;
  expect(await keyId()).toBe("key-2");
});
