import { expect, test } from "bun:test";
import fc from "fast-check";
import type { HostId } from "../../schema/ids.ts";
import { firstExchangeAtMs, type GivingView, toExchange } from "./exchange.ts";
import { DEFAULT_TRANSFER_POLICY as POLICY } from "./policy.ts";

const host = (n: number) => n.toString(16).padStart(32, "0") as HostId;
const nowMs = 10 * POLICY.exchangeMs;
const sinceMs = nowMs - POLICY.exchangeMs;
const aNeighbour = (n: number, more: Partial<GivingView> = {}): GivingView => ({
  hostId: host(n),
  metAtMs: 0,
  gaveBytes: 1000,
  activeRequests: 0,
  ...more,
});

test("the two that gave least are exchanged, whoever was met later judged by the time it had", () => {
  const lately = { metAtMs: nowMs - POLICY.exchangeMs / 2 };
  const neighbours = [
    aNeighbour(1),
    aNeighbour(2, { gaveBytes: 300 }),
    aNeighbour(3, { gaveBytes: 400, ...lately }),
    aNeighbour(4, { gaveBytes: 100, ...lately }),
  ];
  expect(toExchange(neighbours, sinceMs, POLICY, nowMs)).toEqual([host(4), host(2)]);
});

test("nobody is exchanged who was not tried for half the time between two exchanges, or who sends something just now", () => {
  const neighbour = fc.record({
    hostId: fc.nat(1000).map(host),
    metAtMs: fc.integer({ min: 0, max: nowMs }),
    gaveBytes: fc.nat(),
    activeRequests: fc.nat({ max: 2 }),
  });
  fc.assert(
    fc.property(fc.uniqueArray(neighbour, { maxLength: 30, selector: ({ hostId }) => hostId }), (neighbours) => {
      const chosen = toExchange(neighbours, sinceMs, POLICY, nowMs);
      const able = neighbours.filter((one) => one.activeRequests === 0 && nowMs - one.metAtMs >= POLICY.exchangeMs / 2);
      expect(chosen.length).toBe(Math.min(POLICY.exchangedNeighbours, able.length));
      expect(chosen.every((hostId) => able.some((one) => one.hostId === hostId))).toBe(true);
    }),
  );
});

test("downloads that begin together exchange at different moments, the first not before half the time", () => {
  expect(firstExchangeAtMs(0, POLICY, () => 0)).toBe(POLICY.exchangeMs / 2);
  expect(firstExchangeAtMs(0, POLICY, () => 0.5)).toBe(POLICY.exchangeMs);
});
