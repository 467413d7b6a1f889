import { expect, test } from "bun:test";
import fc from "fast-check";
import { peerMessageSchema } from "./peer-message.ts";
import { quickMessage } from "./quick-message.ts";

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const run = { firstPiece: fc.nat(2 ** 20 - 1), pieceCount: fc.nat(2 ** 20) };
const lease = fc.record({ leaseId: fc.stringMatching(/^[0-9a-z-]{1,64}$/), ...run, readBytes: fc.maxSafeNat() });
const runs = fc.array(fc.record(run), { maxLength: 3 });
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

test("quickMessage() reads every report without digests and every heartbeat, as the schema does", () => {
  const agrees = (value: unknown): void => {
    expect(quickMessage(value)).toEqual(peerMessageSchema.parse(value));
  };
  fc.assert(
    fc.property(message, (value) => {
      agrees(value);
      agrees({ ...value, unknown: 1 });
    }),
  );
});

test("quickMessage() leaves to the schema whatever the schema would refuse", () => {
  const odd = fc.oneof(
    fc.constantFrom<unknown>(null, undefined, "", "x", -1, 0.5, Number.NaN, 2 ** 20, 2 ** 53, 1n, [[]], [{}], {}),
    fc.constant(Array.from({ length: 4097 }, () => ({ firstPiece: 0, pieceCount: 1 }))),
    fc.constant(Array.from({ length: 17 }, () => 0)),
    fc.constant([{ firstPiece: 2 ** 20, pieceCount: 1 }]),
    fc.constant([{ firstPiece: 0, pieceCount: 2 ** 20 + 1 }]),
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
    fc.tuple(heartbeat, fc.constantFrom("type", "load"), odd),
  );
  const agrees = (value: unknown): void => {
    const quick = quickMessage(value);
    if (quick !== undefined) expect(quick).toEqual(peerMessageSchema.parse(value));
  };
  const options = { numRuns: 1000 };
  fc.assert(
    fc.property(spoiled, ([valid, key, value]) => {
      agrees({ ...valid, [key]: value });
    }),
    options,
  );
  fc.assert(
    fc.property(load, fc.constantFrom("activeUploads", "freeBytes"), odd, (valid, key, value) => {
      agrees({ type: "heartbeat", load: { ...valid, [key]: value } });
    }),
    options,
  );
  fc.assert(
    fc.property(odd, (value) => {
      agrees(value);
    }),
    options,
  );
});
