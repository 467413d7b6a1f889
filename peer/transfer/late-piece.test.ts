import { afterEach, expect, test } from "bun:test";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { HostId } from "../../schema/ids.ts";
import type { PeerMessageOf } from "../../schema/wire/peer-message.ts";
import { until } from "../../tests/fixtures/daemon.ts";
import { DEFAULT_TRANSFER_POLICY as POLICY } from "../core/policy.ts";
import { blake3 } from "../store/hash.ts";
import { PIECE_BYTES, pieceBytes, sourceOf, standalonePeer, statOf, storedTask } from "./fixtures.ts";

const PIECES = 8;
const HALF = PIECE_BYTES / 2;
const never = new AbortController().signal;
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** A parent that holds all of so many pieces, unless it is told to offer others, and sends pieces as it is told to. */
async function aParent(name: string, send: (piece: number, response: ServerResponse) => void, pieceCount = PIECES) {
  const asked: number[] = [];
  const offer = { version: 1, complete: true, bitfield: Buffer.alloc(pieceCount / 8, 0xff) };
  let told = Promise.withResolvers<void>();
  const tell = (response: ServerResponse) =>
    response.end(JSON.stringify({ ...offer, bitfield: offer.bitfield.toString("base64") }));
  const server = createServer(({ url = "", headers }, response) => {
    if (url.includes("/bitfield")) {
      if (url.includes(`since=${offer.version}`)) void told.promise.then(() => tell(response));
      else tell(response);
      return;
    }
    const [, start = "0"] = /bytes=(\d+)-/.exec(headers.range ?? "") ?? [];
    const piece = Number(start) / PIECE_BYTES;
    asked.push(piece);
    response.writeHead(206, { "content-length": PIECE_BYTES });
    send(piece, response);
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await new Promise((resolve) => server.once("listening", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hostId = name.repeat(32) as HostId;
  /** It has these bytes of the bitfield now, and may get more. */
  const has = (...bytes: number[]) => {
    Object.assign(offer, { version: offer.version + 1, complete: false, bitfield: Buffer.from(bytes) });
    told.resolve();
    told = Promise.withResolvers();
  };
  return { asked, has, hostId, neighbour: { hostId, address, role: "normal", idc: "", needsPull: false } as const };
}

const whole = (piece: number, response: ServerResponse) => void response.end(pieceBytes(piece));
/** The connection stays, and brings nothing more. */
const half = (piece: number, response: ServerResponse) => void response.write(pieceBytes(piece).subarray(0, HALF));

/** A download that knows all digests and trades with these. */
async function downloadFrom(parents: readonly Awaited<ReturnType<typeof aParent>>[], pieceCount = PIECES) {
  const task = await storedTask(pieceCount);
  const { peer, world, sent } = standalonePeer(task);
  const done = peer.complete(sourceOf(task), statOf(task), never);
  const { taskId } = peer;
  peer.hear({ type: "task", taskId, ticket: "t", ticketTtlMs: 900_000, digestsWanted: false });
  const digests = Buffer.concat(Array.from({ length: pieceCount }, (_, piece) => blake3(pieceBytes(piece))));
  peer.hear({ type: "digests", taskId, runs: [{ firstPiece: 0, digests }] });
  const meet = (...met: typeof parents) =>
    peer.hear({ type: "neighbours", taskId, add: met.map(({ neighbour }) => neighbour), remove: [] });
  meet(...parents);
  const download = peer.download ?? expect.unreachable();
  const faults = () => sent.filter((message): message is PeerMessageOf<"fault"> => message.type === "fault");
  return { done, peer, world, sent, download, task, faults, meet };
}

test("the last pieces, of a parent that became slow, are asked of a second one once they are late, and cost what had come of them", async () => {
  const slow = await aParent("c", (piece, response) => (slow.asked.length > 1 ? half : whole)(piece, response));
  const swift = await aParent("d", whole);
  const { done, world, download, task, faults } = await downloadFrom([slow, swift]);
  const lateCount = () => slow.asked.length - 1;
  await until("only pieces of the slow one are missing", () => task.heldCount + lateCount() === PIECES);
  const late = lateCount();
  expect(late).toBeGreaterThan(0);
  expect(download.awaited().map(({ hostIds }) => hostIds)).toEqual(Array(late).fill([slow.hostId]));
  expect(download.hedges.asked).toBe(0);

  world.nowMs += POLICY.hedgeAfterMs;
  await done;
  expect(download.hedges).toEqual({ asked: late, won: late, doubleBytes: late * HALF });
  expect(new Set([...swift.asked, slow.asked[0]]).size).toBe(PIECES);
  // Slow is not gone.
  expect(faults()).toEqual([]);
});

test("a download whose first pieces all come late goes on with the next parent it meets", async () => {
  const slow = await aParent("c", half);
  const swift = await aParent("d", whole);
  const { done, peer, world, download, meet } = await downloadFrom([slow]);
  await until("all it begins with is asked of the slow one", () => slow.asked.length === POLICY.requestsAtFirst);
  meet(swift);
  world.nowMs += POLICY.hedgeAfterMs;
  await done;
  expect(peer.task.complete).toBe(true);
  expect(download.hedges).toMatchObject({ asked: POLICY.requestsAtFirst, won: POLICY.requestsAtFirst });
});

test("a download all of whose requests sit at slow parents goes on with the one that was swift, two late pieces at a time", async () => {
  const pieceCount = 64;
  const slow = await Promise.all(
    Array.from({ length: POLICY.requestsPerTask }, async (_, n) => {
      const parent = await aParent(
        n.toString(16),
        (piece, response) => {
          (parent.asked.length === 2 ? half : whole)(piece, response);
        },
        pieceCount,
      );
      parent.has(0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
      return parent;
    }),
  );
  const swift = await aParent("d", whole, pieceCount);
  swift.has(0xff, 0xff, 0, 0, 0, 0, 0, 0);
  const { done, world, download, task, faults, meet } = await downloadFrom([swift], pieceCount);
  await until("the swift one has nothing left to give", () => task.heldCount === 16);
  meet(...slow);
  await until("all requests are at the slow ones", () => slow.every(({ asked }) => asked.length === 2));
  swift.has(...Buffer.alloc(pieceCount / 8, 0xff));
  world.nowMs += POLICY.hedgeAfterMs - 1;
  await until("it was planned anew", () =>
    download.neighbours().some(({ bitfield }) => bitfield.every((byte) => byte === 0xff)),
  );
  expect(download.hedges.asked).toBe(0);
  world.nowMs += 1;
  await done;
  expect(download.hedges).toMatchObject({ asked: POLICY.requestsPerTask, won: POLICY.requestsPerTask });
  expect(faults()).toEqual([]);
});

test("a neighbour that is exchanged for another brings what it was asked for all the same, unless that is late", async () => {
  const answers: (() => void)[] = [];
  const first = await aParent("c", (piece, response) => {
    if (first.asked.length <= POLICY.requestsAtFirst) whole(piece, response);
    else answers.push(() => whole(piece, response));
  });
  const { done, peer, download, faults, meet } = await downloadFrom([first]);
  await until("the rest is awaited of the first", () => answers.length === PIECES - POLICY.requestsAtFirst);
  const second = await aParent("d", whole);
  peer.hear({ type: "neighbours", taskId: peer.taskId, add: [], remove: [first.hostId] });
  meet(second);
  await until("the second told what it has", () => download.neighbours().some(({ bitfield }) => bitfield[0] === 0xff));
  expect(download.neighbours().map(({ hostId }) => hostId)).toEqual([second.hostId]);
  for (const answer of answers) answer();
  await done;
  expect([first.asked.length, second.asked]).toEqual([PIECES, []]);
  expect(faults()).toEqual([]);

  const silent = await aParent("c", half);
  const again = await downloadFrom([silent]);
  await until("pieces are awaited of the silent one", () => silent.asked.length === POLICY.requestsAtFirst);
  again.world.nowMs += POLICY.hedgeAfterMs;
  again.peer.hear({ type: "neighbours", taskId: peer.taskId, add: [second.neighbour], remove: [silent.hostId] });
  await again.done;
  expect(again.download.hedges.asked).toBe(0);
});

test("a long download names the neighbours that gave it least in a report that goes anyhow", async () => {
  const pieceCount = 16;
  const giving = await aParent("c", whole, pieceCount);
  giving.has(0xff, 0);
  const idle = [await aParent("d", whole, pieceCount), await aParent("e", whole, pieceCount)];
  for (const parent of idle) parent.has(0, 0);
  const { done, world, sent, task, faults } = await downloadFrom([giving, ...idle], pieceCount);
  await until("all there was has come", () => task.heldCount === 8);
  const named = () => sent.flatMap((message) => (message.type === "progress" ? (message.exchange ?? []) : []));
  expect(named()).toEqual([]);
  world.nowMs += 1.5 * POLICY.exchangeMs;
  giving.has(0xff, 1);
  await until("it is reported", () => named().length > 0);
  expect(named().toSorted()).toEqual(idle.map(({ hostId }) => hostId));
  giving.has(0xff, 0xff);
  world.nowMs += POLICY.newsPauseMaxMs;
  await done;
  expect(faults()).toEqual([]);
});

test("nothing is asked for twice while nothing is late, however much is under way", async () => {
  const answers: (() => void)[] = [];
  const send = (piece: number, response: ServerResponse) => void answers.push(() => whole(piece, response));
  const parents = [await aParent("c", send), await aParent("d", send)];
  const { done, world, download } = await downloadFrom(parents);
  await until("pieces are awaited", () => answers.length >= POLICY.requestsAtFirst);
  world.nowMs += POLICY.hedgeAfterMs - 1;
  const timer = setInterval(() => answers.shift()?.(), 1);
  await done;
  clearInterval(timer);
  const asked = parents.flatMap((parent) => parent.asked);
  expect(asked.toSorted((a, b) => a - b)).toEqual(Array.from({ length: PIECES }, (_, piece) => piece));
  expect(download.hedges).toEqual({ asked: 0, won: 0, doubleBytes: 0 });
});
