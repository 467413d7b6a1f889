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
const content = Buffer.concat(Array.from({ length: PIECES }, (_, piece) => pieceBytes(piece)));
const lease: Lease = { leaseId: "lease" as LeaseId, firstPiece: 0, pieceCount: PIECES, ttlMs: 10_000 };

/** One lease of all pieces from a source that has sent the first chunk, of this length, and sends the rest when told. */
async function reading(firstChunkBytes: number) {
  const task = await storedTask(PIECES);
  const goOn = Promise.withResolvers<void>();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield content.subarray(0, firstChunkBytes);
    await goOn.promise;
    for (let at = firstChunkBytes; at < content.length; at += PIECE_BYTES) yield content.subarray(at, at + PIECE_BYTES);
  }
  const totals = { sourceBytes: 0, peerBytes: 0 };
  const digests = new PieceDigests(PIECES);
  const keeper = new PieceKeeper({ task, digests, report: new ProgressReport(), totals, kept: () => {} });
  const ended = Promise.withResolvers<void>();
  const leases = new SourceLeases({
    info: task.info,
    source: sourceOf(task, body),
    stat: statOf(task),
    keeper,
    backlogBytes: DEFAULT_TRANSFER_POLICY.backlogBytes,
    received: () => {},
    failed: (_leaseId, error) => ended.reject(error),
    finished: () => ended.resolve(),
  });
  leases.grant(lease);
  while (leases.progress()[0]?.readBytes !== firstChunkBytes) await turn();
  return { task, leases, goOn: goOn.resolve, ended: ended.promise };
}

test("the end of a lease is given back as far as it is not being read", async () => {
  const { task, leases, goOn, ended } = await reading(PIECE_BYTES + 1);
  leases.shorten(lease.leaseId, 3);
  expect(leases.progress()).toMatchObject([{ firstPiece: 0, pieceCount: 3 }]);
  goOn();
  await ended;
  expect(task.heldCount).toBe(3);
});

test("a lease whose stream waits for us keeps its end, which the source has sent already", async () => {
  const { task, leases, goOn, ended } = await reading(DEFAULT_TRANSFER_POLICY.backlogBytes);
  leases.shorten(lease.leaseId, 5);
  expect(leases.progress()).toMatchObject([{ firstPiece: 0, pieceCount: PIECES }]);
  goOn();
  await ended;
  expect(task.heldCount).toBe(PIECES);
});
