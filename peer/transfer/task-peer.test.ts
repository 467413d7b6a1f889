import { describe, expect, test } from "bun:test";
import type { HostId, LeaseId } from "../../schema/ids.ts";
import { isProblemError, ProblemError } from "../../schema/problem.ts";
import { MAX_CURSORS, type PeerMessage } from "../../schema/wire/peer-message.ts";
import { until } from "../../tests/fixtures/daemon.ts";
import type { TaskMessage } from "../channel/scheduler-client.ts";
import { DEFAULT_TRANSFER_POLICY } from "../core/policy.ts";
import { blake3 } from "../store/hash.ts";
import type { StoredTask } from "../store/piece-store.ts";
import { PIECE_BYTES, pieceBytes, sourceOf, standalonePeer, statOf, storedTask } from "./fixtures.ts";

const never = new AbortController().signal;

function outcomeOf(work: Promise<unknown>): { readonly now: () => string; readonly settled: Promise<string> } {
  let now = "waiting";
  const settled = work.then(
    () => "done",
    (error: unknown) => (isProblemError(error) ? error.code : String(error)),
  );
  void settled.then((outcome) => {
    now = outcome;
  });
  return { now: () => now, settled };
}

function leaseOf(taskId: TaskMessage["taskId"], pieceCount: number): TaskMessage {
  const leaseId = "lease-1" as LeaseId;
  return { type: "leases", taskId, granted: [{ leaseId, firstPiece: 0, pieceCount, ttlMs: 10_000 }], revoked: [] };
}

const typesOf = (messages: readonly PeerMessage[]) => messages.map((message) => message.type);

describe("a download", () => {
  test("reads the source under its lease, reports pieces with digests, and finishes", async () => {
    const task = await storedTask(3);
    const { peer, sent } = standalonePeer(task);
    const source = sourceOf(task, async function* ({ start, end }) {
      for (let at = start; at < end; at += PIECE_BYTES) yield pieceBytes(at / PIECE_BYTES);
    });
    const done = peer.complete(source, statOf(task), never);
    peer.hear(leaseOf(peer.taskId, 3));
    await done;
    await until("it says so", () => sent.some((message) => message.type === "finish"));
    const reports = sent.filter((message) => message.type === "progress");
    expect(reports.flatMap((report) => report.digests).reduce((sum, run) => sum + run.digests.length / 32, 0)).toBe(3);
    expect(sent.at(-1)).toMatchObject({ type: "finish", state: "succeeded", sourceBytes: 3 * PIECE_BYTES });
  });

  test("stops a lease that is shortened, tells what is left of it, and reads on what it has begun", async () => {
    const task = await storedTask(8);
    const { peer, sent } = standalonePeer(task);
    const gate = Promise.withResolvers<void>();
    const asked: number[] = [];
    const source = sourceOf(task, async function* ({ start, end }) {
      for (let at = start; at < end; at += PIECE_BYTES) {
        asked.push(at / PIECE_BYTES);
        yield pieceBytes(at / PIECE_BYTES);
        if (at === PIECE_BYTES) await gate.promise;
      }
    });
    const stop = new AbortController();
    const waiting = outcomeOf(peer.complete(source, statOf(task), stop.signal));
    peer.hear(leaseOf(peer.taskId, 8));
    await until("two pieces are kept", () => task.heldCount === 2);
    const shortened = [
      { leaseId: "lease-1" as LeaseId, pieceCount: 1 },
      { leaseId: "lease-0" as LeaseId, pieceCount: 1 },
    ];
    peer.hear({ type: "leases", taskId: peer.taskId, granted: [], revoked: [], shortened });
    const last = sent.at(-1);
    expect(last?.type === "progress" && last.leases.map((lease) => lease.pieceCount)).toEqual([3]);
    gate.resolve();
    await until("the rest of it is read", () => peer.download?.leases().length === 0);
    expect([task.heldCount, asked]).toEqual([3, [0, 1, 2]]);
    stop.abort(new Error("end of test"));
    await waiting.settled;
  });

  test("tells where readers are when it begins, and at once when another comes who has to wait", async () => {
    const task = await storedTask(40);
    await task.write(7, pieceBytes(7), blake3(pieceBytes(7)));
    const { peer, sent } = standalonePeer(task);
    const stop = new AbortController();
    using _first = peer.read({ piece: 12 });
    const waiting = outcomeOf(peer.complete(sourceOf(task), statOf(task), stop.signal));
    expect(sent).toMatchObject([{ type: "announce", cursors: [12] }]);
    using _second = peer.read({ piece: 30 });
    expect(sent.at(-1)).toMatchObject({ type: "progress", cursors: [12, 30] });
    using _served = peer.read({ piece: 7 });
    expect(sent).toHaveLength(2);
    expect(peer.announcement().cursors).toEqual([12, 30, 7]);
    const many = Array.from({ length: 30 }, (_, piece) => peer.read({ piece }));
    expect(peer.announcement().cursors).toHaveLength(MAX_CURSORS);
    for (const cursor of many) cursor[Symbol.dispose]();
    stop.abort(new Error("end of test"));
    await waiting.settled;
  });

  test("reports every piece also when the last two are kept at the same moment", async () => {
    const kept = await storedTask(2);
    const gate = Promise.withResolvers<void>();
    const task = withSlowWrites(kept, gate.promise);
    const { peer, sent } = standalonePeer(task);
    const source = sourceOf(task, async function* ({ start }) {
      yield pieceBytes(start / PIECE_BYTES);
    });
    const done = peer.complete(source, statOf(task), never);
    const granted = [0, 1].map((firstPiece) => ({
      leaseId: `lease-${firstPiece}` as LeaseId,
      firstPiece,
      pieceCount: 1,
      ttlMs: 10_000,
    }));
    peer.hear({ type: "leases", taskId: peer.taskId, granted, revoked: [] });
    await until("both are written", () => kept.complete);
    gate.resolve();
    await done;
    const reported = sent.flatMap((message) => (message.type === "progress" ? message.added : []));
    expect(reported.reduce((sum, run) => sum + run.pieceCount, 0)).toBe(2);
  });

  test("is shared by all who wait, and ends with the last of them, handing its lease back", async () => {
    const task = await storedTask(3);
    const { peer, sent, events } = standalonePeer(task);
    const [first, second] = [new AbortController(), new AbortController()];
    const one = outcomeOf(peer.complete(sourceOf(task), statOf(task), first.signal));
    const two = outcomeOf(peer.complete(sourceOf(task), statOf(task), second.signal));
    peer.hear(leaseOf(peer.taskId, 3));
    first.abort(new Error("gone"));
    await one.settled;
    expect([peer.running, two.now()]).toEqual([true, "waiting"]);
    second.abort(new Error("gone too"));
    await two.settled;
    await until("it is over", () => events.includes("settled"));
    expect(typesOf(sent).slice(-2)).toEqual(["return-leases", "finish"]);
    expect(sent.at(-1)).toMatchObject({ state: "left" });
  });

  test("that is ending takes nobody any more: whoever comes then starts another", async () => {
    let restarts = 0;
    for (let hops = 0; hops < 12; hops++) {
      const task = await storedTask(2);
      const { peer, sent } = standalonePeer(task);
      const leaving = new AbortController();
      const first = outcomeOf(peer.complete(sourceOf(task), statOf(task), leaving.signal));
      leaving.abort(new Error("gone"));
      for (let hop = 0; hop < hops; hop++) await undefined;
      const staying = new AbortController();
      const second = outcomeOf(peer.complete(sourceOf(task), statOf(task), staying.signal));
      await first.settled;
      await until("the second has its download", () => peer.running);
      expect(second.now()).toBe("waiting");
      // The scheduler takes leases that come back for those of a host that wants none: the end must come before the begin.
      const said = typesOf(sent).join(" ");
      expect(["announce", "announce finish announce"]).toContain(said);
      restarts += said === "announce" ? 0 : 1;
      staying.abort(new Error("end of test"));
      await second.settled;
    }
    expect(restarts).toBeGreaterThan(0);
  });

  test("drops pieces kept from another version when the task's own digests come", async () => {
    const task = await storedTask(2);
    await task.write(0, pieceBytes(7), blake3(pieceBytes(7)));
    const { peer, events, sent } = standalonePeer(task);
    const stop = new AbortController();
    const waiting = outcomeOf(peer.complete(sourceOf(task), statOf(task), stop.signal));
    peer.hear({ type: "digests", taskId: peer.taskId, runs: [{ firstPiece: 0, digests: blake3(pieceBytes(0)) }] });
    await until("it is told", () =>
      sent.some((message) => message.type === "progress" && message.removed.length === 1),
    );
    expect([task.heldCount, events[0]]).toEqual([0, "piece.stranger"]);
    stop.abort(new Error("end of test"));
    await waiting.settled;
  });

  test("asks again for a ticket that did not come", async () => {
    const task = await storedTask(2);
    const { peer, sent, world } = standalonePeer(task);
    const stop = new AbortController();
    const waiting = outcomeOf(peer.complete(sourceOf(task), statOf(task), stop.signal));
    expect(typesOf(sent)).toEqual(["announce"]);
    world.nowMs += DEFAULT_TRANSFER_POLICY.ticketWaitMs;
    await until("it announces again", () => typesOf(sent).filter((type) => type === "announce").length === 2);
    stop.abort(new Error("end of test"));
    await waiting.settled;
  });

  test("that waited long for the source does not die of a scheduler that is away for a moment", async () => {
    const task = await storedTask(2);
    const { peer, world, events } = standalonePeer(task);
    const refusing = sourceOf(task, () => {
      throw new ProblemError("source-refused", "no");
    });
    const waiting = outcomeOf(peer.complete(refusing, statOf(task), never));
    world.nowMs += 10 * DEFAULT_TRANSFER_POLICY.schedulerWaitMs;
    await until("the stall is named", () => events.includes("download.stalled"));
    world.schedulerHears = false;
    await Bun.sleep(600);
    expect(waiting.now()).toBe("waiting");
    world.nowMs += DEFAULT_TRANSFER_POLICY.schedulerWaitMs + 1;
    expect(await waiting.settled).toBe("scheduler-unreachable");
  });

  test.each(["never answers", "is always busy"])(
    "gives up a parent that offers pieces and %s when asked for them",
    async (how) => {
      const task = await storedTask(2);
      const bitfield = { version: 1, complete: true, bitfield: Buffer.from([0b11]).toString("base64") };
      const asked = Promise.withResolvers<void>();
      using parent = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        fetch: (request) => {
          if (request.url.includes("/bitfield")) return Response.json(bitfield);
          asked.resolve();
          return how === "is always busy"
            ? new Response(null, { status: 429 })
            : new Promise<Response>(() => undefined);
        },
      });
      const { peer, sent, world } = standalonePeer(task);
      const stop = new AbortController();
      const waiting = outcomeOf(peer.complete(sourceOf(task), statOf(task), stop.signal));
      const { taskId } = peer;
      peer.hear({ type: "task", taskId, ticket: "ticket", ticketTtlMs: 600_000, digestsWanted: false });
      const digests = Buffer.concat([0, 1].map((piece) => blake3(pieceBytes(piece))));
      peer.hear({ type: "digests", taskId, runs: [{ firstPiece: 0, digests }] });
      const hostId = "c".repeat(32) as HostId;
      const info = {
        hostId,
        address: parent.url.origin,
        idc: "",
        location: "",
        role: "normal",
        needsPull: false,
      } as const;
      peer.hear({ type: "neighbours", taskId, add: [info], remove: [] });
      await asked.promise;
      const isFault = (message: PeerMessage) => message.type === "fault" && message.parentHostId === hostId;
      expect(sent.some(isFault)).toBe(false);
      world.nowMs += DEFAULT_TRANSFER_POLICY.parentStallMs;
      await until("it is given up", () => sent.some(isFault));
      stop.abort();
      await waiting.settled;
    },
  );

  test("reads the source itself when the scheduler stays away", async () => {
    const task = await storedTask(2);
    const { peer, world, events } = standalonePeer(task);
    const reading = sourceOf(task, async function* ({ start, end }) {
      for (let piece = start / PIECE_BYTES; piece < end / PIECE_BYTES; piece++) yield pieceBytes(piece);
    });
    const waiting = outcomeOf(peer.complete(reading, statOf(task), never));
    world.schedulerHears = false;
    await Bun.sleep(600);
    world.nowMs += DEFAULT_TRANSFER_POLICY.ownReadAfterMs;
    expect(await waiting.settled).toBe("done");
    expect(events).toContain("download.without-scheduler");
  });

  test("ends with what the scheduler says when it is refused, and keeps what it has", async () => {
    const task = await storedTask(2);
    await task.write(1, pieceBytes(1), blake3(pieceBytes(1)));
    const { peer, sent } = standalonePeer(task);
    const waiting = outcomeOf(peer.complete(sourceOf(task), statOf(task), never));
    peer.hear({ type: "refused", taskId: peer.taskId, code: "source-not-found", message: "gone" });
    expect(await waiting.settled).toBe("source-not-found");
    await until("it says so", () => sent.at(-1)?.type === "finish");
    expect(sent.at(-1)).toMatchObject({ state: "failed", problem: { code: "source-not-found", message: "gone" } });
    expect(task.heldCount).toBe(1);
  });
});

describe("a holder", () => {
  test("tells its digests when they are wanted", async () => {
    const task = await storedTask(3);
    for (const piece of [0, 2]) await task.write(piece, pieceBytes(piece), blake3(pieceBytes(piece)));
    const { peer, sent } = standalonePeer(task);
    peer.hear({ type: "task", taskId: peer.taskId, ticket: "t", ticketTtlMs: 1000, digestsWanted: true });
    expect(sent).toHaveLength(1);
    const [report] = sent;
    expect(report?.type === "progress" && report.digests.map((run) => run.firstPiece)).toEqual([0, 2]);
  });

  test("whose content is not the cluster's offers it no more", async () => {
    const task = await storedTask(1);
    await task.write(0, pieceBytes(0), blake3(pieceBytes(0)));
    const { peer, events } = standalonePeer(task);
    peer.hear({ type: "refused", taskId: peer.taskId, code: "source-changed", message: "other bytes" });
    expect(events).toEqual(["withdrawn"]);
  });
});

/** Writes are on disk at once, and are said to be only when the gate opens. */
function withSlowWrites(task: StoredTask, gate: Promise<void>): StoredTask {
  return new Proxy(task, {
    get(target, key) {
      if (key === "write") {
        return async (...write: Parameters<StoredTask["write"]>) => {
          await target.write(...write);
          await gate;
        };
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
