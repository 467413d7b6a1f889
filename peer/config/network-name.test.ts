import { expect, test } from "bun:test";
import { isHostOrNetwork } from "./network-name.ts";

test.each(["store.internal", "localhost", "127.0.0.1", "::1", "10.0.0.0/8", "fe80::/10"])(
  "isHostOrNetwork() takes %s",
  (text) => {
    expect(isHostOrNetwork(text)).toBe(true);
  },
);

test.each(["", "10.0.0", "10.0.0.0/33", "store/8", "1.2.3.4/8/9", "http://store", "a b", "-x", "::1/129", "[::1]"])(
  "isHostOrNetwork() refuses %p",
  (text) => {
    expect(isHostOrNetwork(text)).toBe(false);
  },
);
