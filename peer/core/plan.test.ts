import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { addPiece, emptyBitfield, hasPiece } from "../../schema/bitfield.ts";
import type { HostId, TaskId } from "../../schema/ids.ts";
import { planRequests } from "./plan.ts";
import { DEFAULT_TRANSFER_POLICY } from "./policy.ts";
import type { ParentView, TransferView } from "./transfer-view.ts";

const host = (n: number) => n.toString(16).padStart(32, "0") as HostId;

function bits(pieceCount: number, pieces: Iterable<number>): Uint8Array {
  const field = emptyBitfield(pieceCount);
  for (const piece of pieces) addPiece(field, piece);
  return field;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at);
}

function aParent(n: number, bitfield: Uint8Array, more: Partial<ParentView> = {}): ParentView {
  const idle = { activeRequests: 0, restUntilMs: 0, lastPieceMs: undefined };
  return { hostId: host(n), idc: "", bitfield, gainedAtMs: 0, ...idle, ...more };
}

function aView(pieceCount: number, more: Partial<TransferView> = {}): TransferView {
  return {
    taskId: "c".repeat(64) as TaskId,
    hostId: host(0),
    idc: "",
    gainedAtMs: 0,
    pieceCount,
    pieceLengthBytes: 1024,
    held: emptyBitfield(pieceCount),
    verifiable: bits(pieceCount, range(pieceCount)),
    leaseCount: 0,
    leased: emptyBitfield(pieceCount),
    inFlight: new Map(),
    parents: [],
    spareRequests: 64,
    cursors: [],
    scarceSinceMs: new Map(),
    ...more,
  };
}

const policy = DEFAULT_TRANSFER_POLICY;
const never = () => 0.999;

describe("planRequests()", () => {
  test("asks for nothing when nobody offers what is missing, and forgets since when it was rare", () => {
    const scarceSinceMs = new Map([[3, 0]]);
    const parents = [aParent(1, bits(8, [0, 1]))];
    expect(planRequests(aView(8, { held: bits(8, [0, 1]), parents, scarceSinceMs }), policy, 0, never)).toEqual([]);
    expect(scarceSinceMs.size).toBe(0);
  });

  test("asks only for pieces that are missing, verifiable, not leased, not under way, and on offer", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }).chain((pieceCount) => {
          const pieces = fc.uniqueArray(fc.integer({ min: 0, max: pieceCount - 1 }));
          return fc.tuple(
            fc.constant(pieceCount),
            pieces,
            pieces,
            pieces,
            pieces,
            fc.array(pieces, { maxLength: 5 }),
            fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
          );
        }),
        ([pieceCount, held, verifiable, leased, inFlight, offers, chance]) => {
          const view = aView(pieceCount, {
            held: bits(pieceCount, held),
            verifiable: bits(pieceCount, verifiable),
            leased: bits(pieceCount, leased),
            inFlight: new Map(inFlight.map((piece) => [piece, { parents: [host(99)], sinceMs: 1000 }])),
            parents: offers.map((offer, n) => aParent(n, bits(pieceCount, offer))),
          });
          const random = () => chance.next().value;
          const requests = planRequests(view, policy, 1000, random);
          expect(new Set(requests.map((request) => request.piece)).size).toBe(requests.length);
          for (const { piece, hostId } of requests) {
            const offer = view.parents.find((parent) => parent.hostId === hostId)?.bitfield ?? new Uint8Array();
            expect(hasPiece(offer, piece)).toBe(true);
            expect(hasPiece(view.held, piece)).toBe(false);
            expect(hasPiece(view.leased, piece)).toBe(false);
            expect(hasPiece(view.verifiable, piece)).toBe(true);
            expect(view.inFlight.has(piece)).toBe(false);
          }
          expect(requests.length + inFlight.length).toBeLessThanOrEqual(
            Math.max(policy.requestsPerTask, inFlight.length),
          );
        },
      ),
    );
  });

  test("shares the work evenly between parents that have everything", () => {
    const all = bits(64, range(64));
    const parents = [aParent(1, all), aParent(2, all)];
    const requests = planRequests(aView(64, { held: bits(64, range(8)), parents }), policy, 0, Math.random);
    expect(requests.filter((request) => request.hostId === host(1))).toHaveLength(policy.requestsPerParent);
    expect(requests.filter((request) => request.hostId === host(2))).toHaveLength(policy.requestsPerParent);
  });

  test("asks for pieces from a reader's cursor on, in order, before those behind it", () => {
    const all = bits(40, range(40));
    const view = aView(40, { parents: [aParent(1, all)], cursors: [21], held: bits(40, [22]) });
    const pieces = planRequests(view, { ...policy, readerShare: 1 }, 0, () => 0).map((request) => request.piece);
    expect(pieces).toEqual([21, 23, 24, 25]);
    const tail = aView(40, { parents: [aParent(1, all)], cursors: [38] });
    expect(planRequests(tail, { ...policy, readerShare: 1 }, 0, () => 0).map((request) => request.piece)).toEqual([
      38, 39, 0, 1,
    ]);
  });

  test("asks another site only for what falls to this host and nobody has at home", () => {
    const away = aParent(1, bits(64, range(64)), { idc: "south" });
    const home = aParent(2, bits(64, range(32)), { idc: "north" });
    const view = aView(64, { idc: "north", held: bits(64, range(24)), parents: [away, home] });
    const requests = planRequests(view, policy, 0, Math.random);
    const asked = (of: number) => requests.filter(({ hostId }) => hostId === host(of)).map(({ piece }) => piece);
    expect(asked(1).length).toBeGreaterThan(0);
    for (const piece of asked(1)) expect(piece).toBeGreaterThanOrEqual(32);
    for (const piece of asked(2)) expect(piece).toBeLessThan(32);
  });

  test("leaves a resting parent alone", () => {
    const all = bits(8, range(8));
    expect(planRequests(aView(8, { parents: [aParent(1, all, { restUntilMs: 11 })] }), policy, 10, never)).toEqual([]);
    expect(planRequests(aView(8, { parents: [aParent(1, all, { restUntilMs: 11 })] }), policy, 11, never)).not.toEqual(
      [],
    );
  });

  test("never has more bytes outstanding than its credits, but always at least one request", () => {
    const all = bits(64, range(64));
    const big = aView(64, { pieceLengthBytes: 40 * 1024 * 1024, parents: [aParent(1, all), aParent(2, all)] });
    expect(planRequests(big, policy, 0, never)).toHaveLength(1);
    const huge = { ...big, pieceLengthBytes: 1024 * 1024 * 1024 };
    expect(planRequests(huge, policy, 0, never)).toHaveLength(1);
    const shared = aView(64, { parents: [aParent(1, bits(64, range(64)))], spareRequests: 3 });
    expect(planRequests(shared, policy, 0, never)).toHaveLength(3);
  });

  test("begins with few requests, and has fewer under way while pieces are late", () => {
    const parents = [1, 2, 3, 4].map((n) => aParent(n, bits(64, range(64))));
    const countOf = (more: Partial<TransferView>) =>
      planRequests(aView(64, { parents, ...more }), policy, 9000, never).length;
    expect(countOf({})).toBe(policy.requestsAtFirst);
    expect(countOf({ held: bits(64, range(2)) })).toBe(policy.requestsAtFirst + 2);
    const held = bits(64, range(40));
    expect(countOf({ held })).toBe(policy.requestsPerTask);
    const late = new Map([50, 51, 52].map((piece) => [piece, { parents: [host(9), host(8)], sinceMs: 0 }]));
    expect(countOf({ held, inFlight: late })).toBe(policy.requestsPerTask - 6);
  });

  test("asks a parent at home before one of another site for a piece that is late", () => {
    const all = bits(2, [0, 1]);
    const away = aParent(2, all, { idc: "south" });
    const late = (ms: number, parents: readonly ParentView[]) => {
      const inFlight = new Map([[0, { parents: [host(1)], sinceMs: 0 }]]);
      const view = aView(2, { idc: "north", held: bits(2, [1]), parents, inFlight });
      return planRequests(view, policy, ms, never).map(({ hostId }) => hostId);
    };
    const slow = aParent(1, all, { idc: "north", activeRequests: 1 });
    expect(late(policy.hedgeAfterMs, [slow, away, aParent(3, all, { idc: "north" })])).toEqual([host(3)]);
    expect(late(policy.hedgeAfterMs, [slow, away])).toEqual([]);
    expect(late(policy.farHedgeAfterMs, [slow, away])).toEqual([host(2)]);
  });

  test("asks another parent for one late piece at a time where all are late and nothing came, whatever its pace allows", () => {
    const all = bits(64, range(64));
    const parents = [aParent(1, all, { activeRequests: policy.requestsAtFirst }), aParent(2, all)];
    const inFlight = new Map(range(policy.requestsAtFirst).map((piece) => [piece, { parents: [host(1)], sinceMs: 0 }]));
    const view = aView(64, { parents, inFlight });
    expect(planRequests(view, policy, policy.hedgeAfterMs - 1, never)).toEqual([]);
    expect(planRequests(view, policy, policy.hedgeAfterMs, never)).toEqual([
      { hostId: host(2), piece: 0, hedge: true },
    ]);
    expect(planRequests({ ...view, gainedAtMs: 1 }, policy, policy.hedgeAfterMs, never)).toEqual([]);
    const hedged = { ...view, inFlight: new Map([...inFlight, [0, { parents: [host(1), host(2)], sinceMs: 0 }]]) };
    expect(planRequests(hedged, policy, policy.hedgeAfterMs * 9, never)).toEqual([]);
  });

  test("asks a parent that was not late itself for two pieces beyond all slots, where all of those are late", () => {
    const all = bits(64, range(64));
    const pieces = range(policy.requestsPerTask);
    const slow = pieces.map((n) => aParent(n + 1, all, { activeRequests: 1 }));
    const swift = aParent(20, all, { lastPieceMs: policy.hedgeAfterMs - 1 });
    const inFlight = new Map(pieces.map((n) => [n, { parents: [host(n + 1)], sinceMs: n }]));
    const view = aView(64, { held: bits(64, range(64).slice(32)), inFlight, parents: [...slow, swift] });
    const lateMs = policy.hedgeAfterMs + policy.requestsPerTask;
    expect(planRequests(view, policy, lateMs, never)).toEqual(
      [0, 1].map((piece) => ({ hostId: swift.hostId, piece, hedge: true })),
    );
    const young = new Map(inFlight).set(11, { parents: [host(12)], sinceMs: lateMs });
    expect(planRequests({ ...view, inFlight: young }, policy, lateMs, never)).toEqual([]);
    // Who was late, or was never asked, may be so because of our own line.
    for (const lastPieceMs of [policy.hedgeAfterMs, undefined])
      expect(planRequests({ ...view, parents: [...slow, { ...swift, lastPieceMs }] }, policy, lateMs, never)).toEqual(
        [],
      );
    const doubled = new Map(inFlight).set(0, { parents: [host(1), swift.hostId], sinceMs: 0 });
    expect(planRequests({ ...view, inFlight: doubled }, policy, lateMs, never)).toEqual([]);
    const other = aParent(21, all, { lastPieceMs: 0 });
    const both = { ...view, inFlight: doubled, parents: [...view.parents, other] };
    expect(planRequests(both, policy, lateMs, never)).toEqual([{ hostId: other.hostId, piece: 1, hedge: true }]);
    expect(planRequests({ ...view, spareRequests: 0 }, policy, lateMs, never)).toEqual([]);
  });

  test("asks another parent for a piece that is late, once, and never for one that came meanwhile", () => {
    const all = bits(1, [0]);
    const view = aView(1, {
      parents: [aParent(1, all, { activeRequests: 1 }), aParent(2, all)],
      inFlight: new Map([[0, { parents: [host(1)], sinceMs: 0 }]]),
    });
    expect(planRequests(view, policy, policy.hedgeAfterMs - 1, never)).toEqual([]);
    expect(planRequests(view, policy, policy.hedgeAfterMs, never)).toEqual([
      { hostId: host(2), piece: 0, hedge: true },
    ]);
    const hedged = { ...view, inFlight: new Map([[0, { parents: [host(1), host(2)], sinceMs: 0 }]]) };
    expect(planRequests(hedged, policy, policy.hedgeAfterMs * 9, never)).toEqual([]);
    const came = { ...view, held: all };
    expect(planRequests(came, policy, policy.hedgeAfterMs * 9, never)).toEqual([]);
  });
});
