import { expect, test } from "bun:test";
import fc from "fast-check";
import { Packr } from "msgpackr";
import { z } from "zod";
import { MAX_QUIET_MS, peerMessageSchema } from "./peer-message.ts";
import { quickFrame } from "./quick-frame.ts";

const packrs = [
  new Packr({ useRecords: false, moreTypes: false }),
  // As others may write it: sizes in as few bytes as they take.
  new Packr({ useRecords: false, moreTypes: false, variableMapSize: true }),
];
const unpackr = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: "number", moreTypes: false });
const frameSchema = z.object({ v: z.literal(1), messages: z.array(peerMessageSchema).max(8) });

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const run = { firstPiece: fc.nat(2 ** 20 - 1), pieceCount: fc.nat(2 ** 20) };
const lease = fc.record(
  {
    leaseId: fc.stringMatching(/^[0-9a-z-]{1,64}$/),
    ...run,
    readBytes: fc.maxSafeNat(),
    backlogBytes: fc.maxSafeNat(),
  },
  { requiredKeys: ["leaseId", "firstPiece", "pieceCount", "readBytes"] },
);
const runs = fc.array(fc.record(run), { maxLength: 20 });
const pieces = fc.array(run.firstPiece, { maxLength: 16 });
const totals = { sourceBytes: fc.maxSafeNat(), peerBytes: fc.maxSafeNat() };

const progress = fc.record(
  {
    type: fc.constant("progress"),
    taskId: hex(64),
    ...totals,
    added: runs,
    removed: runs,
    digests: fc.constant([]),
    leases: fc.array(lease, { maxLength: 3 }),
    cursors: pieces,
    quietMs: fc.nat(MAX_QUIET_MS),
  },
  { requiredKeys: ["type", "taskId", "sourceBytes", "peerBytes"] },
);
const load = fc.record({
  activeUploads: fc.maxSafeNat(),
  activeDownloads: fc.maxSafeNat(),
  uploadBytesPerSecond: fc.maxSafeNat(),
  downloadBytesPerSecond: fc.maxSafeNat(),
  storedBytes: fc.maxSafeNat(),
  freeBytes: fc.maxSafeNat(),
  residentBytes: fc.maxSafeNat(),
});
const heartbeat = fc.record({ type: fc.constant("heartbeat"), load });
const message = fc.oneof(progress, heartbeat);
const messages = fc.array(message, { maxLength: 3 });

/** It may read less than the schema, and never anything else. */
function agrees(frame: unknown): void {
  for (const packr of packrs) {
    const bytes = packr.pack(frame);
    const quick = quickFrame(bytes, 1, 8);
    if (quick !== undefined) expect(frameSchema.parse(unpackr.unpack(bytes)).messages).toEqual(quick);
  }
}

test("quickFrame() reads every report without digests and every heartbeat, as the schema does", () => {
  fc.assert(
    fc.property(messages, (messages) => {
      for (const packr of packrs) {
        expect(quickFrame(packr.pack({ v: 1, messages }), 1, 8)).toEqual(
          frameSchema.parse({ v: 1, messages }).messages,
        );
      }
    }),
  );
});

test("quickFrame() leaves to the schema whatever the schema would refuse", () => {
  const odd = fc.oneof(
    fc.constantFrom<unknown>(null, undefined, "", "x", -1, 0.5, Number.NaN, 2 ** 20, 2 ** 53, 1n, [[]], [{}], {}),
    fc.constant(Array.from({ length: 4097 }, () => ({ firstPiece: 0, pieceCount: 1 }))),
    fc.constant(Array.from({ length: 17 }, () => 0)),
    fc.constant([{ firstPiece: 2 ** 20, pieceCount: 1 }]),
    fc.constant([{ firstPiece: 0, pieceCount: 2 ** 20 + 1 }]),
    fc.constant([{ firstPiece: 0 }]),
    fc.constant([{ firstPiece: 0, pieceCount: 1, leaseId: "A", readBytes: 0 }]),
    fc.constant([{ firstPiece: 0, digests: new Uint8Array(32) }]),
    fc.uint8Array({ maxLength: 4 }),
    fc.anything(),
  );
  const spoiled = fc.oneof(
    fc.tuple(
      progress,
      fc.constantFrom("type", "taskId", "added", "removed", "digests", "leases", "cursors", "sourceBytes", "peerBytes"),
      odd,
    ),
    fc.tuple(heartbeat, fc.constantFrom("type", "load", "unknown"), odd),
  );
  const options = { numRuns: 300 };
  fc.assert(
    fc.property(messages, spoiled, (others, [valid, key, value]) => {
      agrees({ v: 1, messages: [...others, { ...valid, [key]: value }] });
    }),
    options,
  );
  fc.assert(
    fc.property(load, fc.constantFrom("activeUploads", "freeBytes"), odd, (valid, key, value) => {
      agrees({ v: 1, messages: [{ type: "heartbeat", load: { ...valid, [key]: value } }] });
    }),
    options,
  );
  fc.assert(
    fc.property(odd, message, (value, valid) => {
      agrees(value);
      agrees({ v: value, messages: [valid] });
      agrees({ v: 1, messages: value });
      agrees({ v: 1, messages: [value] });
    }),
    options,
  );
});

test("quickFrame() reads no frame that is cut off, has something behind it, or is of another protocol", () => {
  const { messages } = { messages: [fc.sample(progress, { numRuns: 1, seed: 1 })[0], fc.sample(heartbeat, 1)[0]] };
  const bytes = unpackr.pack({ v: 1, messages });
  expect(quickFrame(bytes, 1, 8)).toBeArrayOfSize(2);
  for (let length = 0; length < bytes.length; length++)
    expect(quickFrame(bytes.subarray(0, length), 1, 8)).toBeUndefined();
  expect(quickFrame(Uint8Array.of(...bytes, 0), 1, 8)).toBeUndefined();
  expect(quickFrame(bytes, 2, 8)).toBeUndefined();
  expect(quickFrame(bytes, 1, 1)).toBeUndefined();
});

test("quickFrame() takes no byte that was changed for another, unless the schema takes it so, too", () => {
  const [report] = fc.sample(progress, { numRuns: 1, seed: 2 });
  const bytes = unpackr.pack({ v: 1, messages: [report] });
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
      const changed = Uint8Array.from(bytes);
      changed[at] = byte;
      const quick = quickFrame(changed, 1, 8);
      if (quick !== undefined) expect(frameSchema.parse(unpackr.unpack(changed)).messages).toEqual(quick);
    }),
    { numRuns: 2000 },
  );
});
