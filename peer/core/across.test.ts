import { describe, expect, test } from "bun:test";
import { addPiece, emptyBitfield, hasPiece, piecesOf } from "../../schema/bitfield.ts";
import type { HostId, TaskId } from "../../schema/ids.ts";
import { type AcrossView, isAcross, type Member, planAcross } from "./across.ts";
import { DEFAULT_TRANSFER_POLICY } from "./policy.ts";

const PIECES = 256;
const NOW_MS = 100_000;
const policy = DEFAULT_TRANSFER_POLICY;
const all = Array.from({ length: PIECES }, (_, piece) => piece);

function bits(pieces: Iterable<number>): Uint8Array {
  const field = emptyBitfield(PIECES);
  for (const piece of pieces) addPiece(field, piece);
  return field;
}

function aMember(n: number, idc: string, pieces: Iterable<number>, gainedAtMs = NOW_MS): Member {
  return { hostId: n.toString(16).padStart(32, "0") as HostId, idc, bitfield: bits(pieces), gainedAtMs };
}

function acrossOf(self: Member, parents: readonly Member[], more: Partial<AcrossView> = {}): number[] | undefined {
  const wanted = bits(all.filter((piece) => !hasPiece(self.bitfield, piece)));
  const kept = { isServed: true, scarceSinceMs: new Map<number, number>() };
  const view = { taskId: "c".repeat(64) as TaskId, self, parents, wanted, ...kept, ...more };
  const across = planAcross(view, policy, NOW_MS);
  return across === undefined ? undefined : [...piecesOf(across.pieces, PIECES)];
}

const half = all.filter((piece) => piece % 2 === 0);
const elsewhere = aMember(9, "south", all);

describe("isAcross()", () => {
  test("is so only where both state a site, and not the same", () => {
    expect(isAcross({ idc: "north" }, { idc: "south" })).toBe(true);
    expect(isAcross({ idc: "north" }, { idc: "north" })).toBe(false);
    expect(isAcross({ idc: "" }, { idc: "south" })).toBe(false);
    expect(isAcross({ idc: "north" }, { idc: "" })).toBe(false);
  });
});

describe("planAcross()", () => {
  test("sets no limit where nobody is of another site, or nobody of the own", () => {
    expect(acrossOf(aMember(1, "north", []), [aMember(2, "north", all)])).toBeUndefined();
    expect(acrossOf(aMember(1, "", []), [aMember(2, "", half), elsewhere])).toBeUndefined();
    expect(acrossOf(aMember(1, "north", []), [elsewhere])).toBeUndefined();
  });

  test("names nothing that a neighbour of the own site has", () => {
    expect(acrossOf(aMember(1, "north", half), [aMember(2, "north", all), elsewhere])).toEqual([]);
  });

  test("gives every piece that nobody has at home to one host there, and about as many to each", () => {
    const site = [1, 2, 3, 4].map((n) => aMember(n, "north", half));
    const shares = site.map((self) => acrossOf(self, [...site.filter((other) => other !== self), elsewhere]) ?? []);
    expect(shares.flat().sort((a, b) => a - b)).toEqual(all.filter((piece) => !half.includes(piece)));
    for (const share of shares) expect(share.length).toBeGreaterThan(16);
  });

  test("passes over who got nothing for long, and who holds much less than the best", () => {
    const rest = all.length - half.length;
    const self = aMember(1, "north", half);
    const idle = aMember(2, "north", half, NOW_MS - policy.ownerPatienceMs);
    const slow = aMember(3, "north", half.slice(0, 20));
    expect(acrossOf(self, [idle, elsewhere])).toHaveLength(rest);
    expect(acrossOf(self, [slow, elsewhere])).toHaveLength(rest);
    expect(acrossOf(slow, [self, elsewhere])).toEqual([]);
  });

  test("does not wait for what only a slow neighbour has at home", () => {
    const self = aMember(1, "north", half);
    expect(acrossOf(self, [aMember(2, "north", [1, 3, 5]), elsewhere])).toContain(3);
  });

  test("lets the next host by weight fetch what the one before did not bring for a while", () => {
    const [self, other] = [aMember(1, "north", half), aMember(2, "north", half)];
    const since = (ms: number) => new Map(all.map((piece) => [piece, NOW_MS - ms]));
    const shareAfter = (ms: number) => acrossOf(self, [other, elsewhere], { scarceSinceMs: since(ms) })?.length ?? 0;
    expect(shareAfter(policy.acrossTurnMs - 1)).toBe(shareAfter(0));
    expect(shareAfter(policy.acrossTurnMs)).toBe(all.length - half.length);
  });

  test("forgets how long it waited for a piece once that is at home", () => {
    const scarceSinceMs = new Map(all.map((piece) => [piece, 0]));
    acrossOf(aMember(1, "north", half), [aMember(2, "north", all), elsewhere], { scarceSinceMs });
    expect(scarceSinceMs.size).toBe(0);
  });

  test("asks a slow host only for what falls to this one of what no other has", () => {
    const [self, other] = [aMember(1, "", half), aMember(2, "", half)];
    const slow = aMember(3, "", [0, 1, 3, 5, 7, 9, 11, 13, 15, 17]);
    const asked = (child: Member, friend: Member) => acrossOf(child, [friend, slow]) ?? [];
    expect([...asked(self, other), ...asked(other, self)].sort((a, b) => a - b)).toEqual([
      1, 3, 5, 7, 9, 11, 13, 15, 17,
    ]);
    expect(acrossOf(slow, [self, other])).toBeUndefined();
  });

  test("sets no limit for a host that got nothing for a while and awaits nothing", () => {
    const left = aMember(1, "north", half, NOW_MS - policy.acrossPatienceMs);
    const parents = [aMember(2, "north", all), elsewhere];
    expect(acrossOf(left, parents, { isServed: false })).toBeUndefined();
    expect(acrossOf(left, parents)).toEqual([]);
  });
});
