/** A digest a user or a name gives for whole content, `algorithm:hex`. */

export const DIGEST_ALGORITHMS = { sha256: 64, sha512: 128, blake3: 64 } as const;
export type DigestAlgorithm = keyof typeof DIGEST_ALGORITHMS;

export interface Digest {
  readonly algorithm: DigestAlgorithm;
  readonly hex: string;
}

/** Bytes of a BLAKE3 piece digest. */
export const PIECE_DIGEST_BYTES = 32;
/** Piece digests that are stored together: a row of 32 KiB stays far under SQLite's 2 MB on Durable Objects, and a change
 *  rewrites little. */
export const DIGESTS_PER_CHUNK = 1024;

/** Reads `sha256:<64 hex>`, `sha512:<128 hex>` or `blake3:<64 hex>`, in any case; `undefined` when it is none. */
export function parseDigest(text: string): Digest | undefined {
  const match = /^([a-z0-9]+):([0-9a-f]+)$/.exec(text.trim().toLowerCase());
  const [, algorithm = "", hex = ""] = match ?? [];
  if (!Object.hasOwn(DIGEST_ALGORITHMS, algorithm)) return undefined;
  const known = algorithm as DigestAlgorithm;
  return hex.length === DIGEST_ALGORITHMS[known] ? { algorithm: known, hex } : undefined;
}

export function formatDigest(digest: Digest): string {
  return `${digest.algorithm}:${digest.hex}`;
}
