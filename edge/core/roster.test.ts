import { describe, expect, test } from "bun:test";
import { Roster } from "./roster.ts";
import { seededRandom } from "./testing/fixtures.ts";

function rosterOf(count: number): Roster<number> {
  const roster = new Roster<number>();
  for (let member = 0; member < count; member++) roster.add(member);
  return roster;
}

describe("Roster", () => {
  test("holds each member once, whatever is added and deleted", () => {
    const roster = rosterOf(4);
    roster.add(2);
    roster.delete(0);
    roster.delete(0);
    roster.delete(3);
    roster.add(5);
    expect([...roster].toSorted((a, b) => a - b)).toEqual([1, 2, 5]);
    expect(roster.size).toBe(3);
    expect(roster.has(0)).toBe(false);
  });

  test("sample() draws different members, and leaves the roster as it was", () => {
    const roster = rosterOf(50);
    const drawn = roster.sample(20, seededRandom(3));
    expect(new Set(drawn).size).toBe(20);
    expect([...roster]).toEqual([...rosterOf(50)]);
  });

  test("sample() gives everybody when there are fewer than asked for", () => {
    expect(new Set(rosterOf(3).sample(20, seededRandom(3)))).toEqual(new Set([0, 1, 2]));
    expect(rosterOf(0).sample(20, seededRandom(3))).toEqual([]);
  });

  test("sample() draws every member equally often", () => {
    const roster = rosterOf(10);
    const random = seededRandom(7);
    const counts = new Array<number>(10).fill(0);
    for (let round = 0; round < 10_000; round++) {
      for (const member of roster.sample(3, random)) counts[member] = (counts[member] ?? 0) + 1;
    }
    // 3,000 expected each, with a deviation of 46.
    expect(Math.min(...counts)).toBeGreaterThan(2_770);
    expect(Math.max(...counts)).toBeLessThan(3_230);
  });
});
