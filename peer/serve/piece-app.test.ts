import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HostId, parseHostId } from "../../schema/ids.ts";
import { PIECES_HEADER, parsePieceNews } from "../../schema/piece-news.ts";
import { ProblemError } from "../../schema/problem.ts";
import { signTicket, TICKET_TTL_MS, ticketKeyOf } from "../../schema/ticket.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import { bunFileRange, servePieces } from "../runtime/bun-server.ts";
import type { PieceServer } from "../runtime/peer-servers.ts";
import { openDiskStore } from "../store/disk-store.ts";
import { aTask, completeTask, pieceOf, writeAll, writePieces } from "../store/fixtures.ts";
import type { PieceStore, StoredTask } from "../store/piece-store.ts";
import { createPieceApp, type PieceAppComponents } from "./piece-app.ts";
import { UploadMeter } from "./upload-meter.ts";

const KIB = 1024;
const UNLIMITED = Number.POSITIVE_INFINITY;
const child = parseHostId("c".repeat(32)) ?? expect.unreachable();
const ticketKey = await ticketKeyOf("cluster token");
let nowMs: number;
let folder: string;
let store: PieceStore;
let task: StoredTask;
let uploads: UploadMeter;
let uploadLimit: RateLimit;
let server: PieceServer;
let authorization: string;

async function serve(overrides: Partial<PieceAppComponents> = {}): Promise<void> {
  uploads = overrides.uploads ?? new UploadMeter(64);
  uploadLimit = new RateLimit({ hostBps: UNLIMITED, taskBps: UNLIMITED }, () => performance.now());
  const own = {
    store,
    ticketKey,
    nowMs: () => nowMs,
    fileRange: bunFileRange,
    reading: () => [],
    pull: async () => {},
  };
  const components = { ...own, uploads, uploadLimit, ...overrides };
  server = await servePieces({ hostname: "127.0.0.1", port: 0, app: createPieceApp(components) });
}

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.port}${path}`, { ...init, headers: { authorization, ...init.headers } });
}

function askContent(headers: Record<string, string> = {}, method = "GET"): Promise<Response> {
  return ask(`/v1/tasks/${task.info.taskId}/content`, { headers, method });
}

/** Longer than all buffers between the two ends, so that it is under way until it is read; the store itself has it open no more. */
async function aBigTask(): Promise<StoredTask> {
  const big = await store.open(aTask({ sizeBytes: 64 * 1024 * KIB, pieceLengthBytes: 16 * 1024 * KIB }));
  await completeTask(big);
  return big;
}

function hostOf(letter: string): HostId {
  return parseHostId(letter.repeat(32)) ?? expect.unreachable();
}

/** Of another child, for the small task. */
async function ticketOf(letter: string): Promise<string> {
  return `Bearer ${await signTicket(ticketKey, { hostId: hostOf(letter), taskId: task.info.taskId }, nowMs)}`;
}

async function ticketFor({ info }: StoredTask): Promise<string> {
  return `Bearer ${await signTicket(ticketKey, { hostId: child, taskId: info.taskId }, nowMs)}`;
}

async function askBig(big: StoredTask): Promise<Response> {
  return await ask(`/v1/tasks/${big.info.taskId}/content`, { headers: { authorization: await ticketFor(big) } });
}

function askBitfield(query: string, init: RequestInit = {}): Promise<Response> {
  return ask(`/v1/tasks/${task.info.taskId}/bitfield${query}`, init);
}

function askPull(body: string | ReadableStream): Promise<Response> {
  return ask(`/v1/tasks/${task.info.taskId}/pull`, { method: "POST", body });
}

/** Sends a request byte for byte and gives the status line of the reply. */
function askRaw(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, "127.0.0.1", () => socket.write(request));
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString("latin1").split("\r\n")[0] ?? "");
    });
    socket.once("end", () => resolve("closed"));
    socket.once("error", reject);
  });
}

/** Ends when it holds; the time limit of the test is its own. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function codeOf(response: Response): Promise<unknown> {
  const problem = await response.json();
  expect(problem).toMatchObject({ message: expect.stringMatching(/\w/), detail: {} });
  return problem.code;
}

beforeEach(async () => {
  nowMs = 1_700_000_000_000;
  folder = await mkdtemp(join(tmpdir(), "pantala-serve-"));
  store = await openDiskStore({ folder, nowMs: () => nowMs, warn: (message) => expect(message).toBe("") });
  task = await store.open(aTask());
  authorization = `Bearer ${await signTicket(ticketKey, { hostId: child, taskId: task.info.taskId }, nowMs)}`;
  await serve();
});
afterEach(async () => {
  await server.stop();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

describe("content", () => {
  test("gives the bytes of a held piece, and says exactly which", async () => {
    await writePieces(task, 1);
    const response = await askContent({ range: "bytes=65536-131071" });
    expect(response.status).toBe(206);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "accept-ranges": "bytes",
      "cache-control": "no-transform",
      "content-length": "65536",
      "content-range": "bytes 65536-131071/163840",
      "content-type": "application/octet-stream",
      etag: `"${task.info.taskId}"`,
    });
    expect<Uint8Array>(await response.bytes()).toEqual(pieceOf(task.info, 1));
  });

  test("tells beside a piece which others are held, until all are", async () => {
    await writePieces(task, 1);
    const told = async () =>
      parsePieceNews((await askContent({ range: "bytes=65536-131071" })).headers.get(PIECES_HEADER) ?? "", 3);
    expect(await told()).toEqual({ version: task.version, bitfield: new Uint8Array([0b010]) });
    await writePieces(task, 0);
    expect(await told()).toEqual({ version: task.version, bitfield: new Uint8Array([0b011]) });
    await writePieces(task, 2);
    expect(await told()).toBeUndefined();
  });

  test("gives a few bytes in the middle, over a border of held pieces, and at the end", async () => {
    await writeAll(task);
    const whole = Buffer.concat([0, 1, 2].map((piece) => pieceOf(task.info, piece)));
    const ranges = { "bytes=7-7": [7, 8], "bytes=65000-66000": [65_000, 66_001], "bytes=-5": [163_835, 163_840] };
    for (const [range, [start, end]] of Object.entries({ ...ranges, "bytes=163000-": [163_000, 163_840] })) {
      const response = await askContent({ range });
      expect(response.status).toBe(206);
      expect(response.headers.get("content-length")).toBe(String((end ?? 0) - (start ?? 0)));
      expect(Buffer.from(await response.bytes())).toEqual(whole.subarray(start, end));
    }
    // A range past the end is cut at the end.
    const cut = await askContent({ range: "bytes=163839-999999" });
    expect(cut.headers.get("content-range")).toBe("bytes 163839-163839/163840");
  });

  test("refuses any range that touches a piece not held, until the piece is held", async () => {
    await writePieces(task, 0, 2);
    for (const range of ["bytes=65536-131071", "bytes=65535-65536", "bytes=100-140000", "bytes=-40000", "bytes=0-"]) {
      const response = await askContent({ range });
      expect(response.status).toBe(404);
      expect(await codeOf(response)).toBe("not-found");
    }
    await writePieces(task, 1);
    expect((await askContent({ range: "bytes=65536-131071" })).status).toBe(206);
    await task.drop(1);
    expect((await askContent({ range: "bytes=65536-131071" })).status).toBe(404);
  });

  test("gives everything with 200 when no range is asked, once it is complete", async () => {
    await writePieces(task, 0, 1);
    expect((await askContent()).status).toBe(404);
    await writePieces(task, 2);
    for (const headers of [{}, { range: "bytes=0-1,5-6" }, { range: "lines=1-2" }]) {
      const response = await askContent(headers);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-length")).toBe("163840");
      expect(response.headers.get("content-range")).toBeNull();
      expect(Buffer.from(await response.bytes())).toEqual(
        Buffer.concat([0, 1, 2].map((piece) => pieceOf(task.info, piece))),
      );
    }
  });

  test("gives an empty file", async () => {
    task = await store.open(aTask({ sizeBytes: 0 }));
    authorization = `Bearer ${await signTicket(ticketKey, { hostId: child, taskId: task.info.taskId }, nowMs)}`;
    const response = await askContent();
    expect(response.status).toBe(200);
    expect(response.headers.get("content-length")).toBe("0");
    expect((await response.bytes()).length).toBe(0);
    expect((await askContent({ range: "bytes=0-0" })).status).toBe(416);
  });

  test("answers HEAD as GET, without the bytes", async () => {
    await writePieces(task, 0);
    const part = await askContent({ range: "bytes=0-9" }, "HEAD");
    expect(part.status).toBe(206);
    expect(part.headers.get("content-length")).toBe("10");
    expect(part.headers.get("content-range")).toBe("bytes 0-9/163840");
    expect((await askContent({}, "HEAD")).status).toBe(404);
    await writePieces(task, 1, 2);
    const whole = await askContent({}, "HEAD");
    expect(whole.status).toBe(200);
    expect(whole.headers.get("content-length")).toBe("163840");
    expect((await whole.bytes()).length).toBe(0);
    expect(uploads.servedBytes).toBe(0);
  });

  test("answers 416 with the size to a range outside the content", async () => {
    const response = await askContent({ range: "bytes=163840-" });
    expect(response.status).toBe(416);
    expect(response.headers.get("content-range")).toBe("bytes */163840");
    expect(await codeOf(response)).toBe("range-unsatisfiable");
  });

  test("heeds If-Range and If-None-Match", async () => {
    await writeAll(task);
    const etag = `"${task.info.taskId}"`;
    expect((await askContent({ range: "bytes=0-9", "if-range": etag })).status).toBe(206);
    const whole = await askContent({ range: "bytes=0-9", "if-range": '"another"' });
    expect(whole.status).toBe(200);
    expect((await whole.bytes()).length).toBe(163_840);
    for (const tags of [etag, `"x", W/${etag}`, "*"]) {
      expect((await askContent({ "if-none-match": tags })).status).toBe(304);
    }
    expect((await askContent({ "if-none-match": '"x"' })).status).toBe(200);
  });

  test("counts the bytes it serves", async () => {
    await writeAll(task);
    await (await askContent({ range: "bytes=0-99" })).bytes();
    await (await askContent()).bytes();
    await (await askContent({ range: "bytes=999999-" })).bytes();
    expect(uploads.servedBytes).toBe(100 + 163_840);
    expect(uploads.active).toBe(0);
  });

  test("a use of the task is noted for whoever evicts, and what is on its way is told until it is there", async () => {
    await writeAll(task);
    const { taskId } = task.info;
    const { lastUsedAtMs } = task;
    expect(uploads.isSending(taskId, nowMs)).toBe(false);
    await (await askContent({}, "HEAD")).bytes();
    expect(task.lastUsedAtMs).toBe(lastUsedAtMs);
    const big = await aBigTask();
    const slow = await askBig(big);
    expect(uploads.isSending(big.info.taskId, nowMs)).toBe(true);
    expect(uploads.isSending(taskId, nowMs)).toBe(false);
    // Nothing is under way for longer than a child waits, though others are.
    expect(uploads.isSending(big.info.taskId, nowMs + 60_000)).toBe(false);
    await slow.bytes();
    await (await askContent({ range: "bytes=0-9" })).bytes();
    expect(task.lastUsedAtMs).toBeGreaterThan(lastUsedAtMs);
    expect(uploads.isSending(big.info.taskId, nowMs)).toBe(false);
  });

  test("that is removed while it is sent arrives whole, and is offered no more", async () => {
    const big = await aBigTask();
    const waiting = ask(`/v1/tasks/${big.info.taskId}/bitfield?since=${big.version}&waitMs=30000`, {
      headers: { authorization: await ticketFor(big) },
    });
    const slow = await askBig(big);
    await store.remove(big.info.taskId);
    expect(await (await waiting).json()).toMatchObject({
      complete: false,
      bitfield: Buffer.alloc(1).toString("base64"),
    });
    expect((await askBig(big)).status).toBe(404);
    // The same name again, empty: what is under way must not come from it.
    await store.open(big.info);
    expect((await askBig(big)).status).toBe(404);
    const body = await slow.bytes();
    const pieces = [0, 1, 2, 3].map((piece) => pieceOf(big.info, piece));
    expect(Buffer.compare(body, Buffer.concat(pieces))).toBe(0);
  });

  test("answers 429 while all upload slots are busy, and serves again when one is free", async () => {
    await server.stop();
    await serve({ uploads: new UploadMeter(2) });
    const big = await aBigTask();
    await writePieces(task, 0);

    const slow = [await askBig(big), await askBig(big)];
    expect(uploads.active).toBe(2);
    const refused = await askContent({ range: "bytes=0-9" });
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.headers.get("retry-after-ms")).toBe("250");
    expect(uploads.refused.slots).toBe(1);
    expect(await codeOf(refused)).toBe("too-many-requests");
    // Neither a question nor a HEAD needs a slot.
    expect((await askBitfield("")).status).toBe(200);
    expect((await askContent({ range: "bytes=0-9" }, "HEAD")).status).toBe(206);

    expect((await slow[0]?.bytes())?.length).toBe(64 * 1024 * KIB);
    expect((await askContent({ range: "bytes=0-9" })).status).toBe(206);
    await slow[1]?.body?.cancel();
  });

  test("answers 429 to a child that has more on its way than one that waits, and says so, until that one came", async () => {
    await server.stop();
    await serve({ uploads: new UploadMeter(2) });
    const big = await aBigTask();
    await writePieces(task, 0);
    const one = { range: "bytes=0-9" };
    const rich = { ...one, "x-pantala-outstanding": "1000", authorization: await ticketOf("e") };
    const poor = { ...one, "x-pantala-outstanding": "0", authorization: await ticketOf("d") };

    const slow = [await askBig(big), await askBig(big)];
    const full = await askContent(poor);
    expect([full.status, full.headers.get("x-pantala-refusal")]).toEqual([429, "slots"]);
    await slow[0]?.body?.cancel();
    await until(async () => uploads.active === 1);
    const kept = await askContent(rich);
    expect([kept.status, kept.headers.get("x-pantala-refusal")]).toEqual([429, "share"]);
    expect(Number(kept.headers.get("retry-after-ms"))).toBeGreaterThan(0);
    expect(await codeOf(kept)).toBe("too-many-requests");
    expect((await askContent(poor)).status).toBe(206);
    expect((await askContent(rich)).status).toBe(206);
    await slow[1]?.body?.cancel();
  });

  test("counts what a child has on its way itself, whatever that says or does not say, and no more than that", async () => {
    await server.stop();
    await serve({ uploads: new UploadMeter(3) });
    const big = await aBigTask();
    await writePieces(task, 0);
    const one = { range: "bytes=0-9" };
    const silentOne = { ...one, "x-pantala-outstanding": "0" };
    const waiting = { ...one, authorization: await ticketOf("d") };
    const third = {
      authorization: `Bearer ${await signTicket(ticketKey, { hostId: hostOf("e"), taskId: big.info.taskId }, nowMs)}`,
    };
    const askAsThird = () => ask(`/v1/tasks/${big.info.taskId}/content`, { headers: third });
    const refusalOf = async (headers: Record<string, string>) =>
      (await askContent(headers)).headers.get("x-pantala-refusal");

    const taken = [await askBig(big), await askBig(big)];
    const between = await askAsThird();
    expect(await refusalOf(waiting)).toBe("slots");
    await between.body?.cancel();
    await until(async () => uploads.active === 2);
    expect(await refusalOf(silentOne)).toBe("share");
    expect(await refusalOf(one)).toBe("share");
    expect(await refusalOf(waiting)).toBeNull();

    expect((await taken[0]?.bytes())?.length).toBe(64 * 1024 * KIB);
    await taken[1]?.body?.cancel();
    await until(async () => uploads.active === 0);
    // Nobody waits any more.
    nowMs += 2000;
    const [first, ...rest] = [await askAsThird(), await askAsThird(), await askAsThird()];
    expect(await refusalOf(waiting)).toBe("slots");
    await first?.body?.cancel();
    await until(async () => uploads.active === 2);
    expect((await askAsThird()).headers.get("x-pantala-refusal")).toBe("share");
    expect(await refusalOf(silentOne)).toBeNull();
    for (const { body } of rest) await body?.cancel();
  });

  test("a slot is busy until the child says that its piece came, though the server has answered long ago", async () => {
    await server.stop();
    await serve({ uploads: new UploadMeter(2) });
    await writePieces(task, 0);
    const other = await ticketOf("d");
    const refusalOf = async (outstandingBytes: number, more: Record<string, string> = {}) => {
      const headers = { range: "bytes=0-9", "x-pantala-outstanding": String(outstandingBytes), ...more };
      const response = await askContent(headers);
      await response.bytes();
      return response.headers.get("x-pantala-refusal");
    };

    expect([await refusalOf(0), await refusalOf(10)]).toEqual([null, null]);
    await until(async () => uploads.active === 0);
    expect(await refusalOf(0, { authorization: other })).toBe("slots");
    expect(await refusalOf(20)).toBe("slots");
    // One came, and whoever has none comes first.
    expect(await refusalOf(10)).toBe("share");
    expect(await refusalOf(0, { authorization: other })).toBeNull();
    expect(await refusalOf(10)).toBe("slots");
    // Nobody who says no more is waited for.
    nowMs += 2000;
    expect([await refusalOf(0), await refusalOf(10)]).toEqual([null, null]);
  });

  test("who waits for news takes no upload slot", async () => {
    await server.stop();
    await serve({ uploads: new UploadMeter(1) });
    await writePieces(task, 0);
    const waiting = Array.from({ length: 20 }, () => askBitfield("?since=1&waitMs=30000"));
    expect((await askContent({ range: "bytes=0-9" })).status).toBe(206);
    await writePieces(task, 1);
    for (const response of await Promise.all(waiting)) expect(response.status).toBe(200);
    expect((await askContent({ range: "bytes=0-9" })).status).toBe(206);
  });
});

test("every request that is not served is counted by its reason", async () => {
  await writePieces(task, 0);
  const { taskId } = aTask();
  const other = { authorization: `Bearer ${await signTicket(ticketKey, { hostId: child, taskId }, nowMs)}` };
  const path = `/v1/tasks/${task.info.taskId}`;
  await ask(`${path}/content`, { headers: { authorization: "" } });
  await ask(`${path}/bitfield`, { headers: other });
  await ask(`${path}/content`, { headers: { authorization: "Bearer nonsense" } });
  await ask(`/v1/tasks/${taskId}/content`, { headers: other });
  await askContent({ range: "bytes=65536-65537" });
  await askContent({ range: "bytes=999999-" });
  await ask(`${path}/bitfield?since=x`);
  await ask(`${path}/digests?of=x`);
  await ask(`${path}/nothing`);
  await ask(`${path}/content`, { method: "DELETE" });
  await server.stop();
  const told = { ...uploads.refused };
  await serve({ pull: undefined });
  await askPull("{}");
  expect({ ...told, "no-seed": uploads.refused["no-seed"] }).toEqual({
    slots: 0,
    share: 0,
    "no-ticket": 1,
    "bad-ticket": 2,
    "unknown-task": 1,
    "piece-absent": 1,
    "bad-range": 1,
    "bad-request": 4,
    "waits-full": 0,
    "no-seed": 1,
    "pulls-full": 0,
    "pull-failed": 0,
  });
  await server.stop();
  await serve({ pull: () => Promise.reject(new ProblemError("task-mismatch", "other content")) });
  await askPull(JSON.stringify({ source: { url: "https://store.example/file" } }));
  expect(uploads.refused["pull-failed"]).toBe(1);
});

describe("content with an upload limit", () => {
  const wholeOf = ({ info }: StoredTask) => Buffer.concat([0, 1, 2, 3].map((piece) => pieceOf(info, piece)));
  /** So slow that nothing after the burst goes while a test runs. */
  const STANDSTILL = { hostBps: 16 * KIB, taskBps: UNLIMITED };

  test("is the same bytes under the same headers, except for the length", async () => {
    await writeAll(task);
    uploadLimit.set({ hostBps: 64 * KIB * KIB, taskBps: UNLIMITED });
    const response = await askContent({ range: "bytes=65000-140000" });
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe("bytes 65000-140000/163840");
    expect(response.headers.get("etag")).toBe(`"${task.info.taskId}"`);
    const whole = Buffer.concat([0, 1, 2].map((piece) => pieceOf(task.info, piece)));
    expect(Buffer.from(await response.bytes())).toEqual(whole.subarray(65_000, 140_001));
    expect(uploads.servedBytes).toBe(75_001);
    expect((await askContent({ range: "bytes=65000-140000" }, "HEAD")).headers.get("content-length")).toBe("75001");
  });

  test("goes on at full speed once the limit is lifted, and counts what went", async () => {
    const big = await aBigTask();
    uploadLimit.set(STANDSTILL);
    const response = await askBig(big);
    expect(uploads.active).toBe(1);
    expect(uploads.servedBytes).toBeLessThanOrEqual(8 * KIB);
    uploadLimit.set({ hostBps: UNLIMITED, taskBps: UNLIMITED });
    expect(Buffer.compare(await response.bytes(), wholeOf(big))).toBe(0);
    expect(uploads.servedBytes).toBe(64 * KIB * KIB);
  });

  test("bounds each task and lets others pass", async () => {
    const big = await aBigTask();
    await writeAll(task);
    uploadLimit.set({ hostBps: UNLIMITED, taskBps: 16 * KIB });
    const slow = await askBig(big);
    // It is within the burst of its own task.
    expect((await (await askContent({ range: "bytes=0-4095" })).bytes()).length).toBe(4 * KIB);
    await slow.body?.cancel();
  });

  test("holds a slot until it is over, and gives slot, file and share back when the child goes away", async () => {
    await server.stop();
    await serve({ uploads: new UploadMeter(1) });
    const big = await aBigTask();
    const openOnes = async () => {
      const links = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
      return (await Promise.all(links)).filter((path) => path === big.path).length;
    };
    const before = await openOnes();
    uploadLimit.set(STANDSTILL);
    const slow = await askBig(big);
    expect((await askBig(big)).status).toBe(429);
    expect(await openOnes()).toBe(before + 1);
    await slow.body?.cancel();
    await until(async () => uploads.active === 0 && (await openOnes()) === before);
    uploadLimit.set({ hostBps: UNLIMITED, taskBps: UNLIMITED });
    expect((await (await askBig(big)).bytes()).length).toBe(64 * KIB * KIB);
  });

  test("still comes from the task that was asked for when that is removed and made anew", async () => {
    const big = await aBigTask();
    uploadLimit.set(STANDSTILL);
    const slow = await askBig(big);
    const reader = slow.body?.getReader() ?? expect.unreachable();
    const first = (await reader.read()).value ?? expect.unreachable();
    await store.remove(big.info.taskId);
    await store.open(big.info);
    uploadLimit.set({ hostBps: UNLIMITED, taskBps: UNLIMITED });
    const parts = [first];
    for (let next = await reader.read(); !next.done; next = await reader.read()) parts.push(next.value);
    expect(Buffer.compare(Buffer.concat(parts), wholeOf(big))).toBe(0);
  });
});

describe("tickets", () => {
  const paths = () => ["content", "bitfield", "digests"].map((what) => `/v1/tasks/${task.info.taskId}/${what}`);

  test("missing answers 401", async () => {
    for (const value of ["", "Basic abc", "Bearer", "Bearer "]) {
      for (const path of paths()) {
        const response = await ask(path, { headers: { authorization: value } });
        expect(response.status).toBe(401);
        expect(response.headers.get("www-authenticate")).toBe("Bearer");
        expect(await codeOf(response)).toBe("unauthorized");
      }
    }
  });

  test("forged, of another cluster, too long or for another task answer 403", async () => {
    const ticket = { hostId: child, taskId: task.info.taskId };
    const forged = [
      "nonsense",
      `${authorization.slice(7, -4)}AAAA`,
      await signTicket(await ticketKeyOf("another token"), ticket, nowMs),
      await signTicket(ticketKey, { ...ticket, taskId: aTask().taskId }, nowMs),
      "x".repeat(3000),
    ];
    for (const token of forged) {
      for (const path of paths()) {
        const response = await ask(path, { headers: { authorization: `Bearer ${token}` } });
        expect(response.status).toBe(403);
        expect(await codeOf(response)).toBe("forbidden");
      }
    }
  });

  test("stop counting when they expire, also when they were known before", async () => {
    expect((await askBitfield("")).status).toBe(200);
    nowMs += TICKET_TTL_MS + 120_000;
    const response = await askBitfield("");
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ message: expect.stringContaining("expired") });
  });

  test("for a task that is not here answer 404", async () => {
    const { taskId } = aTask();
    authorization = `Bearer ${await signTicket(ticketKey, { hostId: child, taskId }, nowMs)}`;
    for (const what of ["content", "bitfield"]) {
      const response = await ask(`/v1/tasks/${taskId}/${what}`);
      expect(response.status).toBe(404);
      expect(await codeOf(response)).toBe("task-not-found");
    }
  });
});

describe("bitfield", () => {
  test("tells what is held now", async () => {
    await writePieces(task, 0, 2);
    expect(await (await askBitfield("")).json()).toEqual({
      version: 2,
      complete: false,
      bitfield: "BQ==",
      reading: [],
    });
    await writePieces(task, 1);
    expect(await (await askBitfield("?since=0&waitMs=30000")).json()).toEqual({
      version: 3,
      complete: true,
      bitfield: "Bw==",
      reading: [],
    });
  });

  test("waits for a newer version, and tells at once when there is one", async () => {
    const waiting = askBitfield("?since=0&waitMs=30000");
    await askBitfield("");
    await writePieces(task, 1);
    expect(await (await waiting).json()).toMatchObject({ version: 1, bitfield: "Ag==" });
  });

  test("answers with what it has when the time is up", async () => {
    expect(await (await askBitfield("?since=0&waitMs=1")).json()).toMatchObject({ version: 0, bitfield: "AA==" });
  });

  test("answers at once to a version of an earlier life of this host", async () => {
    expect(await (await askBitfield("?since=17&waitMs=30000")).json()).toMatchObject({ version: 0 });
  });

  test("refuses what is no count", async () => {
    for (const query of ["?since=-1", "?since=x", "?waitMs=1e9", "?waitMs=", "?since=9999999999999999"]) {
      expect(await codeOf(await askBitfield(query))).toBe("bad-request");
    }
  });

  test("does not keep the server from stopping", async () => {
    const waiting = askBitfield("?since=0&waitMs=30000");
    await askBitfield("");
    await server.stop();
    // Answered, or cut off when it had not been read yet.
    await waiting.then(
      async (response) => expect(await response.json()).toMatchObject({ version: 0 }),
      () => {},
    );
  });
});

describe("digests", () => {
  const askDigests = (query: string) => ask(`/v1/tasks/${task.info.taskId}/digests${query}`);

  test("are told of pieces that are held, and of no others", async () => {
    await writePieces(task, 0, 2);
    const reply = await askDigests("?of=0-2");
    expect(reply.status).toBe(200);
    const hex = (piece: number) => Buffer.from(task.digestOf(piece) ?? "").toString("hex");
    expect(await reply.json()).toEqual({ digests: [0, 2].map((piece) => ({ piece, digest: hex(piece) })) });
  });

  test("are refused to a question that is no list of runs or names too many pieces", async () => {
    for (const query of ["", "?of=", "?of=2-1", "?of=0-2048", `?of=${"0-0,".repeat(64)}0-0`])
      expect((await askDigests(query)).status).toBe(400);
  });
});

describe("pull", () => {
  test("hands the source to the seed, with the child's id, and answers 202", async () => {
    const asked: unknown[] = [];
    await server.stop();
    await serve({ pull: async (...args) => void asked.push(args) });
    const source = { url: "https://store.example/file?sig=1", headers: { authorization: "Bearer secret" } };
    const response = await askPull(JSON.stringify({ source }));
    expect(response.status).toBe(202);
    expect(asked).toEqual([[task.info.taskId, child, { ...source, tag: "", application: "" }]]);
  });

  test("answers with the problem the seed has", async () => {
    await server.stop();
    await serve({
      pull: async () => {
        throw new ProblemError("task-mismatch", "The source has another version", { detail: { found: "etag:two" } });
      },
    });
    const response = await askPull(JSON.stringify({ source: { url: "https://store.example/file" } }));
    expect(response.status).toBe(409);
    expect(await response.json()).toEqual({
      code: "task-mismatch",
      message: "The source has another version",
      detail: { found: "etag:two" },
    });
  });

  test("answers 403 on a host that is no seed", async () => {
    await server.stop();
    await serve({ pull: undefined });
    const response = await askPull(JSON.stringify({ source: { url: "https://store.example/file" } }));
    expect(response.status).toBe(403);
    expect(await codeOf(response)).toBe("forbidden");
  });

  test("refuses a broken body without repeating what is in it", async () => {
    const broken = [
      "",
      "{",
      "[]",
      '{"source": "https://store.example/hunter2"}',
      '{"source": {"url": ""}}',
      '{"source": {"url": "https://store.example/", "headers": {"bad header hunter2": "x"}}}'.replace(" hunter2", ""),
      '{"source": {"url": "https://store.example/", "headers": {"authorization": "hunter2\\r\\nx: y"}}}',
      '{"source": {"url": "https://store.example/", "pieceLengthBytes": 1}}',
    ];
    for (const body of broken) {
      const response = await askPull(body);
      expect(response.status).toBe(400);
      const text = await response.text();
      expect(JSON.parse(text).code).toBe("bad-request");
      expect(text).not.toContain("hunter2");
    }
  });

  test("refuses a body above 64 KiB, told or found out", async () => {
    const large = JSON.stringify({ source: { url: "https://store.example/", tag: "x".repeat(70_000) } });
    expect(await codeOf(await askPull(large))).toBe("body-too-large");
    const response = await askPull(new Response(large).body ?? expect.unreachable());
    expect(response.status).toBe(413);
    expect(await codeOf(response)).toBe("body-too-large");
  });
});

describe("the piece port", () => {
  test("says that it is well, to anybody", async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/healthz`);
    expect(await response.json()).toEqual({ status: "ok" });
  });

  test("answers 405 with the methods that are allowed", async () => {
    const wrong = { content: "POST", bitfield: "DELETE", digests: "POST", pull: "GET" };
    for (const [what, method] of Object.entries(wrong)) {
      const response = await ask(`/v1/tasks/${task.info.taskId}/${what}`, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe(
        { content: "GET, HEAD", bitfield: "GET", digests: "GET", pull: "POST" }[what] ?? "",
      );
      expect(await codeOf(response)).toBe("method-not-allowed");
    }
    expect((await ask("/healthz", { method: "PUT" })).status).toBe(405);
  });

  test("answers hostile paths and ids with problems, and goes on", async () => {
    await writeAll(task);
    const id = task.info.taskId;
    const paths = [
      "/",
      "/v1/tasks",
      `/v1/tasks/${id}`,
      `/v1/tasks/${id}/content/`,
      `/v1/tasks/${id}/content/../../../etc/passwd`,
      `/v1/tasks/${id.toUpperCase()}/content`,
      `/v1/tasks/${id}%00/content`,
      `/v1/tasks/..%2f..%2f..%2fetc%2fpasswd/content`,
      `/v1/tasks/${"a".repeat(63)}/content`,
      `/v1/tasks/${"a".repeat(5000)}/content`,
      `/v1/tasks/__proto__/content`,
      `/v1/tasks/${id}/constructor`,
      "//evil.example/v1",
    ];
    for (const path of paths) {
      const response = await ask(path);
      expect([400, 404]).toContain(response.status);
      expect(["bad-request", "not-found"]).toContain(String(await codeOf(response)));
    }
    for (const host of ["", "a b", "[", "@@@", "evil.example:99999999", "\\\\"]) {
      const line = await askRaw(`GET /v1/tasks/${id}/content HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect(line).toMatch(/^(HTTP\/1\.1 40[01] .*|closed)$/);
    }
    for (const target of [`http://x/../../etc/passwd`, "*", "%", `/v1/tasks/${id}/../../../../etc/passwd`]) {
      const line = await askRaw(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      expect(line).toMatch(/^(HTTP\/1\.1 40[014] .*|closed)$/);
    }
    expect((await askContent({ range: "bytes=0-9" })).status).toBe(206);
  });

  test("can be read with curl, as any child", async () => {
    await writeAll(task);
    const curl = Bun.spawn(
      [
        "curl",
        "--silent",
        "--fail",
        "--range",
        "65536-131071",
        "--header",
        `Authorization: ${authorization}`,
        `http://127.0.0.1:${server.port}/v1/tasks/${task.info.taskId}/content`,
      ],
      { stdout: "pipe" },
    );
    expect<Uint8Array>(await new Response(curl.stdout).bytes()).toEqual(pieceOf(task.info, 1));
    expect(await curl.exited).toBe(0);
  });
});
