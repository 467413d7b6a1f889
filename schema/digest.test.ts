import { expect, test } from "bun:test";
import fc from "fast-check";
import { DIGEST_ALGORITHMS, type DigestAlgorithm, formatDigest, parseDigest } from "./digest.ts";

const digest = fc.constantFrom(...(Object.keys(DIGEST_ALGORITHMS) as DigestAlgorithm[])).chain((algorithm) =>
  fc.record({
    algorithm: fc.constant(algorithm),
    hex: fc.stringMatching(new RegExp(`^[0-9a-f]{${DIGEST_ALGORITHMS[algorithm]}}$`)),
  }),
);

test("a digest comes back from its text as it was, in whatever case it is written", () => {
  fc.assert(
    fc.property(digest, (given) => {
      expect(parseDigest(formatDigest(given))).toEqual(given);
      expect(parseDigest(` ${formatDigest(given).toUpperCase()}\n`)).toEqual(given);
    }),
  );
});

test.each([
  "",
  "sha256:",
  `sha256:${"a".repeat(63)}`,
  `sha256:${"a".repeat(65)}`,
  `sha256:${"g".repeat(64)}`,
  `sha512:${"a".repeat(64)}`,
  `md5:${"a".repeat(32)}`,
  `constructor:${"a".repeat(64)}`,
  "a".repeat(64),
  `sha256:sha256:${"a".repeat(64)}`,
])("parseDigest(%j) is none", (text) => {
  expect(parseDigest(text)).toBeUndefined();
});
