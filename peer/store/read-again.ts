/** Reads pieces again and compares them with their digests. */
import { Buffer } from "node:buffer";
import { piecesOf } from "../../schema/bitfield.ts";
import type { ContentFile } from "./content-file.ts";
import { PieceHasher } from "./hash.ts";
import type { Holdings } from "./holdings.ts";

/** Read and hashed at a time: pieces may be long, and memory is not theirs. */
export const SLICE_BYTES = 1024 * 1024;

/** BLAKE3 of bytes that are read slice by slice. */
export async function digestOfSlices(
  lengthBytes: number,
  read: (from: number, to: number) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const hasher = new PieceHasher();
  for (let at = 0; at < lengthBytes; at += SLICE_BYTES) {
    hasher.update(await read(at, Math.min(at + SLICE_BYTES, lengthBytes)));
  }
  return hasher.digest();
}

/** Pieces that should be held and are not what they were; also those that cannot be read. */
export async function rottenPieces(
  content: ContentFile,
  holdings: Holdings,
  pieceLengthBytes: number,
): Promise<number[]> {
  const buffer = new Uint8Array(SLICE_BYTES);
  const rotten: number[] = [];
  for (const piece of piecesOf(holdings.held, holdings.pieceCount)) {
    const read = async (from: number, to: number) => {
      const slice = buffer.subarray(0, to - from);
      await content.read(slice, piece * pieceLengthBytes + from);
      return slice;
    };
    const found = await digestOfSlices(holdings.lengthOf(piece), read).catch(() => undefined);
    const digest = holdings.digestOf(piece);
    if (found === undefined || digest === undefined || Buffer.compare(found, digest) !== 0) rotten.push(piece);
  }
  return rotten;
}
