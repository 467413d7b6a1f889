import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { HostId } from "../../schema/ids.ts";
import { PARENT_FAILURES } from "../../schema/wire/local.ts";
import { DEFAULT_TRANSFER_POLICY } from "../core/policy.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import { RequestBudget } from "../limits/request-budget.ts";
import { blake3 } from "../store/hash.ts";
import { PIECE_BYTES, pieceBytes, storedTask, taskOf, unlimited } from "./fixtures.ts";
import { Neighbour } from "./neighbour.ts";
import { NewsBudget } from "./news-budget.ts";
import { ParentConnections } from "./parent-connections.ts";
import { ParentRequests } from "./parent-requests.ts";
import { PieceDigests } from "./piece-digests.ts";
import { PieceKeeper } from "./piece-keeper.ts";
import { ProgressReport } from "./progress-report.ts";
import { createCounts, createHedges } from "./troubles.ts";

const UNLIMITED = Number.POSITIVE_INFINITY;
let parent: Server;
beforeEach(async () => {
  parent = createServer((request, response) => {
    const [, start = "0"] = /bytes=(\d+)-/.exec(request.headers.range ?? "") ?? [];
    response.writeHead(206, { "content-length": PIECE_BYTES });
    response.end(pieceBytes(Number(start) / PIECE_BYTES));
  }).listen(0, "127.0.0.1");
  await once(parent, "listening");
});
afterEach(() => {
  parent.close();
  parent.closeAllConnections();
});

async function requestsUnder(limit: RateLimit) {
  const task = await storedTask(2);
  const digests = new PieceDigests(2);
  for (const piece of [0, 1]) digests.add({ firstPiece: piece, digests: blake3(pieceBytes(piece)) });
  const totals = { sourceBytes: 0, peerBytes: 0 };
  const keeper = new PieceKeeper({ task, digests, report: new ProgressReport(), totals, kept: () => {} });
  const info = { hostId: "a".repeat(32) as HostId, address: "", role: "normal", idc: "", needsPull: false } as const;
  const neighbour = new Neighbour(info, 2, {
    policy: DEFAULT_TRANSFER_POLICY,
    nowMs: () => 0,
    ask: async (_neighbour, _query, signal) => {
      await once(signal, "abort");
      return { kind: "failed", failure: "unreachable" };
    },
    newsPauseMs: () => 0,
    offered: () => {},
    failures: createCounts(PARENT_FAILURES),
    news: new NewsBudget(1),
    lost: () => {},
  });
  const budget = new RequestBudget({ requests: 4, bytes: 1024 * 1024 });
  const events: string[] = [];
  const [received, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const requests = new ParentRequests({
    info: taskOf(2),
    held: () => ({ version: task.version, bitfield: task.held }),
    nowMs: () => 0,
    silenceMs: 10_000,
    limit,
    budget,
    keeper,
    parents: new ParentConnections(),
    hedges: createHedges(),
    received: received.resolve,
    corrupt: () => void events.push("corrupt"),
    refused: () => void events.push("refused"),
    ended: ended.resolve,
    broken: (error) => void events.push(`broken by ${error}`),
  });
  const { port } = parent.address() as AddressInfo;
  const address = { address: `http://127.0.0.1:${port}`, taskId: task.info.taskId, ticket: "t" };
  const start = (piece: number) => requests.start(piece, neighbour, address);
  const places = () => budget.spareFor(() => {}, PIECE_BYTES);
  return { start, places, events, received: received.promise, ended: ended.promise, neighbour, task, requests };
}

describe("ParentRequests", () => {
  test("holds a place of the budget until the piece is kept", async () => {
    const { start, places, ended, task } = await requestsUnder(unlimited());
    start(1);
    expect(places()).toBe(3);
    await ended;
    expect(task.heldCount).toBe(1);
    expect(places()).toBe(4);
  });

  test("keeps a piece whose bytes waited for their share of the rate", async () => {
    const limit = new RateLimit({ hostBps: 32 * 1024, taskBps: UNLIMITED }, () => 0);
    const { start, received, ended, task, events } = await requestsUnder(limit);
    start(0);
    await received;
    limit.set({ hostBps: UNLIMITED, taskBps: UNLIMITED });
    await ended;
    expect([task.heldCount, events]).toEqual([1, []]);
  });

  test("ends quietly when its parent is dropped while bytes wait for their share of the rate", async () => {
    const limit = new RateLimit({ hostBps: 32 * 1024, taskBps: UNLIMITED }, () => 0);
    const { start, places, received, ended, neighbour, task, events } = await requestsUnder(limit);
    start(0);
    await received;
    neighbour.close();
    await ended;
    // The place is given back right behind it.
    await Promise.resolve();
    expect([task.heldCount, events, places()]).toEqual([0, [], 4]);
  });
});
