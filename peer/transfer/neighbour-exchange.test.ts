import { expect, test } from "bun:test";
import type { HostId } from "../../schema/ids.ts";
import { DEFAULT_TRANSFER_POLICY as POLICY } from "../core/policy.ts";
import { Neighbour } from "./neighbour.ts";
import { NeighbourExchange } from "./neighbour-exchange.ts";
import { NewsBudget } from "./news-budget.ts";
import { createTroubles } from "./troubles.ts";

function aMesh(letters: string, roles: Partial<Record<string, "seed">> = {}) {
  const world = { nowMs: 1_000_000 };
  const nowMs = () => world.nowMs;
  const neighbours = [...letters].map((letter) => {
    const hostId = letter.repeat(32) as HostId;
    const info = {
      hostId,
      address: "http://parent",
      role: roles[letter] ?? "normal",
      idc: "",
      needsPull: false,
    } as const;
    return new Neighbour(info, 8, {
      policy: POLICY,
      nowMs,
      newsPauseMs: () => 0,
      offered: () => {},
      news: new NewsBudget(8),
      failures: createTroubles().parentFailures,
      // Nothing is heard of any of them.
      ask: () => new Promise(() => {}),
      lost: () => {},
    });
  });
  const exchange = new NeighbourExchange({ policy: POLICY, nowMs, random: () => 0.5, neighbours: () => neighbours });
  const lettersDue = () => exchange.due().map(([letter]) => letter);
  return { world, neighbours, lettersDue };
}

test("every 30 s the two that gave least since the last time are named, once, and seeds never are", () => {
  const { world, neighbours, lettersDue } = aMesh("abcds", { s: "seed" });
  const give = (...bytes: number[]) => bytes.forEach((count, n) => void neighbours[n]?.succeeded(count));
  give(500, 100, 200, 400);
  world.nowMs += POLICY.exchangeMs - 1;
  expect(lettersDue()).toEqual([]);
  world.nowMs += 1;
  expect(lettersDue()).toEqual(["b", "c"]);
  expect(lettersDue()).toEqual([]);
  // What they gave before does not count any more.
  give(10, 300, 300, 20);
  world.nowMs += POLICY.exchangeMs;
  expect(lettersDue()).toEqual(["a", "d"]);
  for (const neighbour of neighbours) neighbour.close();
});
