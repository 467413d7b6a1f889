import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blake3, hashFile } from "./hash.ts";

const signal = new AbortController().signal;
// https://github.com/BLAKE3-team/BLAKE3/blob/master/test_vectors/test_vectors.json, input length 0 and 3 (bytes 0, 1, 2).
const EMPTY = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
const THREE = "e1be4d7a8ab5560aa4199eea339849ba8e293d55ca0a81006726d184519e647f";

test("blake3() gives the digests of the official vectors as 32 plain bytes", () => {
  expect(Buffer.from(blake3(new Uint8Array())).toString("hex")).toBe(EMPTY);
  expect(Buffer.from(blake3(new Uint8Array([0, 1, 2]))).toString("hex")).toBe(THREE);
  expect(blake3(new Uint8Array([9, 0, 1, 2, 9]).subarray(1, 4))).toEqual(blake3(new Uint8Array([0, 1, 2])));
  expect(blake3(new Uint8Array()).constructor).toBe(Uint8Array);
});

test("hashFile() gives the digest of a file longer than its buffer, and of an empty one", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pantala-hash-"));
  try {
    const bytes = new Uint8Array(2_500_000).map((_, at) => at % 251);
    await writeFile(join(folder, "long"), bytes);
    await writeFile(join(folder, "empty"), "");
    for (const algorithm of ["sha256", "sha512"] as const) {
      const expected = new Bun.CryptoHasher(algorithm).update(bytes).digest("hex");
      expect(await hashFile(join(folder, "long"), algorithm, { signal })).toBe(expected);
    }
    expect(await hashFile(join(folder, "long"), "blake3", { signal })).toBe(Buffer.from(blake3(bytes)).toString("hex"));
    expect(await hashFile(join(folder, "empty"), "blake3", { signal })).toBe(EMPTY);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("hashFile() ends with the reason of its signal", async () => {
  const reason = new Error("not wanted any more");
  await expect(hashFile("/dev/zero", "blake3", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const controller = new AbortController();
  const hashing = hashFile("/dev/zero", "blake3", { signal: controller.signal });
  setImmediate(() => controller.abort(reason));
  await expect(hashing).rejects.toBe(reason);
});
