import { hasPiece } from "../../schema/bitfield.ts";
import type { ByteRange } from "../../schema/byte-range.ts";
import type { StoredTask } from "../store/piece-store.ts";

/** Whether every piece that the range touches is held. */
export function holdsRange(task: StoredTask, range: ByteRange): boolean {
  if (task.complete) return true;
  const { pieceLengthBytes } = task.info;
  const last = Math.floor((range.end - 1) / pieceLengthBytes);
  for (let piece = Math.floor(range.start / pieceLengthBytes); piece <= last; piece++) {
    if (!hasPiece(task.held, piece)) return false;
  }
  return true;
}
