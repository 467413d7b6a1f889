import { expect, test } from "bun:test";
import fc from "fast-check";
import { decodeJournal, encodeJournalRecord, JOURNAL_RECORD_BYTES, type JournalRecord } from "./journal-record.ts";

const record = fc.record({
  piece: fc.nat(99),
  digest: fc.option(
    fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((digest) => digest.some((byte) => byte !== 0)),
    { nil: undefined },
  ),
});

function journalOf(records: readonly JournalRecord[]): Uint8Array {
  return Buffer.concat(records.map(encodeJournalRecord));
}

test("decodeJournal() gives back what was encoded", () => {
  fc.assert(
    fc.property(fc.array(record), (records) => {
      expect([...decodeJournal(journalOf(records), 100)]).toEqual(records);
    }),
  );
});

test("decodeJournal() gives the whole records of a journal cut anywhere", () => {
  fc.assert(
    fc.property(fc.array(record), fc.nat(), (records, cut) => {
      const bytes = journalOf(records);
      const length = cut % (bytes.length + 1);
      const whole = Math.floor(length / JOURNAL_RECORD_BYTES);
      expect([...decodeJournal(bytes.subarray(0, length), 100)]).toEqual(records.slice(0, whole));
    }),
  );
});

test("decodeJournal() stops at a record with any flipped bit, or of a piece the task does not have", () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1 }), fc.nat(), (records, bit) => {
      const bytes = journalOf(records);
      const at = Math.floor(bit / 8) % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit % 8));
      const before = Math.floor(at / JOURNAL_RECORD_BYTES);
      expect([...decodeJournal(bytes, 100)]).toEqual(records.slice(0, before));
    }),
  );
  expect([...decodeJournal(journalOf([{ piece: 7, digest: undefined }]), 7)]).toEqual([]);
});
