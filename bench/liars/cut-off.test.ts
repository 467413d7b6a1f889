import { expect, test } from "bun:test";
import type { RelayedRequest } from "../../tests/fixtures/lying-relay.ts";
import { cutOffOf } from "./cut-off.ts";

const asked = (atMs: number, hostId: string, what: string, rotten: boolean): RelayedRequest => ({
  atMs,
  hostId,
  what,
  rotten,
});

test("cutOffOf() counts from the first lie to the last time each host asked for anything", () => {
  const requests = [
    asked(1000, "early", "bitfield", false),
    asked(1500, "b", "content", true),
    asked(1400, "a", "content", true),
    asked(1900, "b", "bitfield", false),
  ];
  expect(cutOffOf(requests, 5000)).toEqual({ rottenCount: 2, lastAskMs: [0, 500, 0], goneCount: 3 });
});

test("cutOffOf() takes nobody for gone who asked in the second half of the time", () => {
  const requests = [asked(1000, "a", "content", true), asked(2100, "b", "bitfield", false)];
  expect(cutOffOf(requests, 3000)).toMatchObject({ lastAskMs: [0, 1100], goneCount: 1 });
});

test("cutOffOf() has nothing to say of a liar whom nobody asked for content", () => {
  expect(cutOffOf([asked(1, "a", "bitfield", false)], 2)).toBeUndefined();
});
