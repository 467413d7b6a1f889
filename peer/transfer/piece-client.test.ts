import { afterEach, describe, expect, test } from "bun:test";
import type { Socket } from "node:net";
import type { TaskId } from "../../schema/ids.ts";
import { startRawServer } from "../../tests/fixtures/raw-server.ts";
import { ParentConnections } from "./parent-connections.ts";
import { fetchBitfield, fetchPiece, type ParentAddress } from "./piece-client.ts";

const parents = new ParentConnections();
const never = new AbortController().signal;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A parent that answers every request as told, byte for byte. */
async function parentThat(answer: Parameters<typeof startRawServer>[0]): Promise<ParentAddress> {
  const { origin, close } = await startRawServer(answer);
  closing.push(close);
  return { address: origin, taskId: "0".repeat(64) as TaskId, ticket: "t" };
}

const head = (status: string, length: number) => `HTTP/1.1 ${status}\r\nContent-Length: ${length}\r\n\r\n`;
const range = { start: 0, end: 1000 };
const ignore = async () => undefined;
const heard = () => undefined;
const quiet = { heard, told: () => undefined, pieceCount: 9, held: undefined };

describe("fetchPiece()", () => {
  test("takes a piece that comes slowly, as long as it comes", async () => {
    const parent = await parentThat(async (socket) => {
      socket.write(head("206 Partial Content", 1000));
      for (let n = 0; n < 10; n++) {
        socket.write(new Uint8Array(100).fill(n));
        await Bun.sleep(20);
      }
    });
    const chunks: Uint8Array[] = [];
    const take = async (more: readonly Uint8Array[]) => void chunks.push(...more);
    expect(await fetchPiece(parents, parent, range, { signal: never, silenceMs: 150, ...quiet, take })).toEqual({
      kind: "piece",
    });
    const bytes = Buffer.concat(chunks);
    expect([bytes.length, bytes[999]]).toEqual([1000, 9]);
  });

  test("tells of every byte as it comes, and gives a piece that comes in crumbs in grains of 256 KiB", async () => {
    const length = 300 * 1024;
    const parent = await parentThat(async (socket) => {
      socket.write(head("206 Partial Content", length));
      for (let n = 0; n < 100; n++) {
        socket.write(new Uint8Array(3 * 1024).fill(n));
        await Bun.sleep(1);
      }
    });
    const grains: Uint8Array[] = [];
    const take = async (more: readonly Uint8Array[]) => void grains.push(...more);
    let times = 0;
    const options = { signal: never, silenceMs: 1000, ...quiet, heard: () => void times++, take };
    expect(await fetchPiece(parents, parent, { start: 0, end: length }, options)).toEqual({ kind: "piece" });
    expect(grains.length).toBeLessThanOrEqual(2);
    expect(times).toBeGreaterThan(grains.length);
    const bytes = Buffer.concat(grains);
    expect([bytes.length, bytes[0], bytes[150 * 1024], bytes[length - 1]]).toEqual([length, 0, 50, 99]);
  });

  test("gives up a parent that falls silent in the middle", async () => {
    const parent = await parentThat((socket) => void socket.write(`${head("206 Partial Content", 1000)}half`));
    expect(await fetchPiece(parents, parent, range, { signal: never, silenceMs: 50, ...quiet, take: ignore })).toEqual({
      kind: "failed",
      failure: "unreachable",
    });
  });

  test("does not read on when a parent sends more than the piece", async () => {
    let closed = false;
    const parent = await parentThat((socket) => {
      socket.on("close", () => {
        closed = true;
      });
      socket.write(head("206 Partial Content", 1e9));
      const more = () => {
        while (!socket.destroyed && socket.write(new Uint8Array(65_536)));
      };
      socket.on("drain", more);
      more();
    });
    expect(
      await fetchPiece(parents, parent, range, { signal: never, silenceMs: 1000, ...quiet, take: ignore }),
    ).toEqual({
      kind: "failed",
      failure: "unreachable",
    });
    while (!closed) await Bun.sleep(5);
  });

  test("does not blame the parent while its bytes wait to be taken, nor when they cannot be", async () => {
    const answer = (socket: Socket) => void socket.write(head("206 Partial Content", 1000) + "x".repeat(1000));
    const parent = await parentThat(answer);
    const slow = () => Bun.sleep(1500);
    expect(await fetchPiece(parents, parent, range, { signal: never, silenceMs: 1000, ...quiet, take: slow })).toEqual({
      kind: "piece",
    });
    const full = () => Promise.reject(new Error("disk full"));
    await expect(
      fetchPiece(parents, parent, range, { signal: never, silenceMs: 5000, ...quiet, take: full }),
    ).rejects.toThrow("disk full");
  });

  test("calls a parent gone when nobody listens at its address", async () => {
    const parent = await parentThat(() => undefined);
    for (const close of closing.splice(0)) close();
    expect(
      await fetchPiece(parents, parent, range, { signal: never, silenceMs: 1000, ...quiet, take: ignore }),
    ).toEqual({
      kind: "failed",
      failure: "gone",
    });
  });

  for (const [status, failure] of [
    ["404 Not Found", "missing"],
    ["429 Too Many Requests", "busy"],
    ["403 Forbidden", "refused"],
    ["500 Oops", "unreachable"],
  ] as const) {
    test(`calls a parent that answers ${status} ${failure}`, async () => {
      const parent = await parentThat((socket) => void socket.write(head(status, 0)));
      expect(
        await fetchPiece(parents, parent, range, { signal: never, silenceMs: 1000, ...quiet, take: ignore }),
      ).toEqual({
        kind: "failed",
        failure,
      });
    });
  }
});

test("fetchPiece() tells when a busy parent wants to be asked again", async () => {
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response(null, { status: 429, headers: { "retry-after-ms": "70" } }),
  });
  const parent = { address: server.url.origin, taskId: "0".repeat(64) as TaskId, ticket: "t" };
  const options = { signal: AbortSignal.timeout(10_000), silenceMs: 10_000, ...quiet, take: async () => {} };
  const outcome = await fetchPiece(parents, parent, { start: 0, end: 10 }, options);
  expect(outcome).toEqual({ kind: "failed", failure: "busy", retryInMs: 70 });
});

test("fetchPiece() tells a parent what else is held", async () => {
  const told: (string | null)[] = [];
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ headers }) => {
      told.push(headers.get("x-pantala-pieces"));
      return new Response(null, { status: 404 });
    },
  });
  const parent = { address: server.url.origin, taskId: "0".repeat(64) as TaskId, ticket: "t" };
  const options = { signal: AbortSignal.timeout(10_000), silenceMs: 10_000, ...quiet, take: ignore };
  const held = { version: 7, bitfield: Uint8Array.of(0x2a, 1) };
  await fetchPiece(parents, parent, range, { ...options, held });
  await fetchPiece(parents, parent, range, options);
  expect(told).toEqual(["7 2a01", null]);
});

test("fetchPiece() tells a parent what it has asked of it before and has not got, over all tasks, and hears why it has to wait", async () => {
  const asked: (string | null)[] = [];
  const third = Promise.withResolvers<void>();
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async ({ headers }) => {
      asked.push(headers.get("x-pantala-outstanding"));
      if (asked.length === 3) third.resolve();
      await third.promise;
      return new Response(null, { status: 429, headers: { "x-pantala-refusal": "share" } });
    },
  });
  const connections = new ParentConnections();
  const parent = { address: server.url.origin, taskId: "0".repeat(64) as TaskId, ticket: "t" };
  const options = { signal: AbortSignal.timeout(10_000), silenceMs: 10_000, ...quiet, take: async () => {} };
  const ask = (bytes: number, taskId = parent.taskId) =>
    fetchPiece(connections, { ...parent, taskId }, { start: 0, end: bytes }, options);
  const outcomes = await Promise.all([ask(10), ask(200, "1".repeat(64) as TaskId), ask(3000)]);
  const refused = { kind: "failed", failure: "share" } as const;
  expect(outcomes).toEqual([refused, refused, refused]);
  await ask(10);
  expect(new Set(asked.slice(0, 3))).toEqual(new Set(["0", "10", "210"]));
  expect(asked[3]).toBe("0");
  connections.close();
});

describe("fetchBitfield()", () => {
  test("refuses a field that does not fit the task", async () => {
    const body = JSON.stringify({ version: 1, complete: false, bitfield: "//8=" });
    const parent = await parentThat((socket) => void socket.write(head("200 OK", body.length) + body));
    const ask = (pieceCount: number) =>
      fetchBitfield(parents, parent, { since: undefined, waitMs: 0, pieceCount }, never);
    expect(await ask(9)).toEqual({ kind: "failed", failure: "refused" });
    expect(await ask(16)).toMatchObject({ kind: "bitfield", version: 1 });
  });
});
