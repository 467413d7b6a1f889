import { expect, test } from "bun:test";
import { setImmediate as turn } from "node:timers/promises";
import type { LeaseId } from "../../schema/ids.ts";
import type { Lease } from "../../schema/wire/scheduler-message.ts";
import { DEFAULT_TRANSFER_POLICY } from "../core/policy.ts";
import { PIECE_BYTES, pieceBytes, sourceOf, statOf, storedTask } from "./fixtures.ts";
import { PieceDigests } from "./piece-digests.ts";
import { PieceKeeper } from "./piece-keeper.ts";
import { ProgressReport } from "./progress-report.ts";
import { SourceLeases } from "./source-leases.ts";

const PIECES = 12;
/** Of a chunk behind which nothing waits. */
const SMALL_BYTES = PIECE_BYTES;
const content = Buffer.concat(Array.from({ length: PIECES }, (_, piece) => pieceBytes(piece)));
const lease: Lease = { leaseId: "lease" as LeaseId, firstPiece: 0, pieceCount: PIECES, ttlMs: 10_000 };

/** One lease of all pieces from a source that has sent chunks of these lengths, and sends the rest when told.
 *  @param before what happens to the lease before those */
async function reading(chunks: readonly number[], before: (leases: SourceLeases) => void = () => {}) {
  const task = await storedTask(PIECES);
  const goOn = Promise.withResolvers<void>();
  async function* body(): AsyncGenerator<Uint8Array> {
    await begin.promise;
    let sentBytes = 0;
    for (const bytes of chunks) {
      yield content.subarray(sentBytes, sentBytes + bytes);
      sentBytes += bytes;
    }
    await goOn.promise;
    for (let at = sentBytes; at < content.length; at += PIECE_BYTES) yield content.subarray(at, at + PIECE_BYTES);
  }
  const totals = { sourceBytes: 0, peerBytes: 0 };
  const digests = new PieceDigests(PIECES);
  const keeper = new PieceKeeper({ task, digests, report: new ProgressReport(), totals, kept: () => {} });
  const ended = Promise.withResolvers<void>();
  const begin = Promise.withResolvers<void>();
  let gaveBackCount = 0;
  const leases = new SourceLeases({
    info: task.info,
    source: sourceOf(task, body),
    stat: statOf(task),
    keeper,
    backlogBytes: DEFAULT_TRANSFER_POLICY.backlogBytes,
    received: () => {},
    failed: (_leaseId, error) => ended.reject(error),
    finished: () => ended.resolve(),
    gaveBack: () => gaveBackCount++,
  });
  leases.grant(lease);
  before(leases);
  begin.resolve();
  const readBytes = chunks.reduce((sum, bytes) => sum + bytes, 0);
  while (leases.progress()[0]?.readBytes !== readBytes) await turn();
  return { task, leases, goOn: goOn.resolve, ended: ended.promise, gaveBackCount: () => gaveBackCount };
}

test("the end of a lease is given back as far as it is not being read", async () => {
  const { task, leases, goOn, ended } = await reading([SMALL_BYTES]);
  leases.shorten(lease.leaseId, 3);
  expect(leases.progress()).toEqual([{ leaseId: lease.leaseId, firstPiece: 0, pieceCount: 3, readBytes: SMALL_BYTES }]);
  goOn();
  await ended;
  expect(task.heldCount).toBe(3);
});

test("a lease whose stream waits for us keeps its end, which the source has sent already", async () => {
  const { task, leases, goOn, ended } = await reading([DEFAULT_TRANSFER_POLICY.backlogBytes]);
  leases.shorten(lease.leaseId, 5);
  const { backlogBytes } = DEFAULT_TRANSFER_POLICY;
  expect(leases.progress()).toEqual([
    { leaseId: lease.leaseId, firstPiece: 0, pieceCount: PIECES, readBytes: backlogBytes, backlogBytes },
  ]);
  goOn();
  await ended;
  expect(task.heldCount).toBe(PIECES);
});

test("a lease whose source has not begun keeps its end until the first chunk shows that nothing waits", async () => {
  const ask = (leases: SourceLeases) => {
    leases.shorten(lease.leaseId, 5);
    expect(leases.progress()).toMatchObject([{ pieceCount: PIECES }]);
  };
  const small = await reading([SMALL_BYTES], ask);
  expect(small.leases.progress()).toMatchObject([{ pieceCount: 5 }]);
  expect(small.gaveBackCount()).toBe(1);
  const big = await reading([DEFAULT_TRANSFER_POLICY.backlogBytes], ask);
  expect(big.leases.progress()).toMatchObject([{ pieceCount: PIECES }]);
  expect(big.gaveBackCount()).toBe(0);
  for (const { leases } of [small, big]) leases.close();
});

test("a lease whose source has not begun when its end is asked for again gives it back", async () => {
  const { leases, gaveBackCount } = await reading([SMALL_BYTES], (asked) => {
    for (let times = 0; times < 2; times++) asked.shorten(lease.leaseId, 5);
    expect(asked.progress()).toMatchObject([{ pieceCount: 5 }]);
  });
  expect(gaveBackCount()).toBe(0);
  leases.close();
});

test("a small chunk among big ones does not cut off a stream that waits for us", async () => {
  const { leases } = await reading([8 * PIECE_BYTES, SMALL_BYTES]);
  leases.shorten(lease.leaseId, 10);
  expect(leases.progress()).toMatchObject([{ pieceCount: PIECES }]);
  leases.close();
});
