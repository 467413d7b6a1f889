/** The journal of a task: fixed records of 40 bytes, `u32 piece, 32-byte BLAKE3 digest, u32 CRC-32 of the 36 bytes
 *  before`, little-endian. A piece is held when its last record has a digest; a digest of zeros says it was dropped. */
import { crc32 } from "node:zlib";
import { PIECE_DIGEST_BYTES } from "../../schema/digest.ts";

export const JOURNAL_RECORD_BYTES = 40;
const CRC_AT = 4 + PIECE_DIGEST_BYTES;

export interface JournalRecord {
  readonly piece: number;
  /** `undefined`: the piece was dropped. */
  readonly digest: Uint8Array | undefined;
}

export function encodeJournalRecord(record: JournalRecord): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(JOURNAL_RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, record.piece, true);
  if (record.digest !== undefined) bytes.set(record.digest, 4);
  view.setUint32(CRC_AT, crc32(bytes.subarray(0, CRC_AT)), true);
  return bytes;
}

/** The records up to the first that is torn, damaged, or of no piece of this task: what follows such a one was
 *  written by nobody who knew of it. */
export function* decodeJournal(bytes: Uint8Array, pieceCount: number): Generator<JournalRecord> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + JOURNAL_RECORD_BYTES <= bytes.length; at += JOURNAL_RECORD_BYTES) {
    const piece = view.getUint32(at, true);
    if (piece >= pieceCount) return;
    if (view.getUint32(at + CRC_AT, true) !== crc32(bytes.subarray(at, at + CRC_AT))) return;
    const digest = bytes.slice(at + 4, at + CRC_AT);
    yield { piece, digest: digest.some((byte) => byte !== 0) ? digest : undefined };
  }
}
