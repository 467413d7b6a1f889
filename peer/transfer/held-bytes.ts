import { hasPiece } from "../../schema/bitfield.ts";
import type { ByteRange } from "../../schema/byte-range.ts";
import type { StoredTask } from "../store/piece-store.ts";

/** Bytes of a range that are in pieces which are held. */
export function heldBytesIn({ complete, held, info }: StoredTask, { start, end }: ByteRange): number {
  if (complete) return end - start;
  let bytes = 0;
  for (let at = start; at < end; ) {
    const piece = Math.floor(at / info.pieceLengthBytes);
    const next = Math.min(end, (piece + 1) * info.pieceLengthBytes);
    if (hasPiece(held, piece)) bytes += next - at;
    at = next;
  }
  return bytes;
}
