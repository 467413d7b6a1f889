import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { PIECES_HEADER, parsePieceNews } from "../../schema/piece-news.ts";
import { aTask, pieceOf, writeAll, writePieces } from "../store/fixtures.ts";
import { codeOf, PiecePort } from "./fixtures.ts";

let port: PiecePort;
beforeEach(async () => {
  port = await PiecePort.open();
});
afterEach(() => port.close());

describe("content", () => {
  test("gives the bytes of a held piece, and says exactly which", async () => {
    await writePieces(port.task, 1);
    const response = await port.askContent({ range: "bytes=65536-131071" });
    expect(response.status).toBe(206);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "accept-ranges": "bytes",
      "cache-control": "no-transform",
      "content-length": "65536",
      "content-range": "bytes 65536-131071/163840",
      "content-type": "application/octet-stream",
      etag: `"${port.task.info.taskId}"`,
    });
    expect<Uint8Array>(await response.bytes()).toEqual(pieceOf(port.task.info, 1));
  });

  test("tells beside a piece which others are held, until all are", async () => {
    await writePieces(port.task, 1);
    const told = async () =>
      parsePieceNews((await port.askContent({ range: "bytes=65536-131071" })).headers.get(PIECES_HEADER) ?? "", 3);
    expect(await told()).toEqual({ version: port.task.version, bitfield: new Uint8Array([0b010]) });
    await writePieces(port.task, 0);
    expect(await told()).toEqual({ version: port.task.version, bitfield: new Uint8Array([0b011]) });
    await writePieces(port.task, 2);
    expect(await told()).toBeUndefined();
  });

  test("hears what the child holds, unless that cannot be or nothing is missing here", async () => {
    const heard: unknown[] = [];
    await port.restart({ told: (taskId, _child, news) => void heard.push([taskId, news]) });
    await writePieces(port.task, 1);
    const ask = (told: string) => port.askContent({ range: "bytes=65536-131071", [PIECES_HEADER]: told });
    for (const told of ["3 05", "3 0500", "3 zz", "x 05", ""]) expect((await ask(told)).status).toBe(206);
    expect(heard).toEqual([[port.task.info.taskId, { version: 3, bitfield: new Uint8Array([0b101]) }]]);
    await writePieces(port.task, 0, 2);
    await ask("4 05");
    expect(heard).toHaveLength(1);
  });

  test("gives a few bytes in the middle, over a border of held pieces, and at the end", async () => {
    await writeAll(port.task);
    const whole = Buffer.concat([0, 1, 2].map((piece) => pieceOf(port.task.info, piece)));
    const ranges = { "bytes=7-7": [7, 8], "bytes=65000-66000": [65_000, 66_001], "bytes=-5": [163_835, 163_840] };
    for (const [range, [start, end]] of Object.entries({ ...ranges, "bytes=163000-": [163_000, 163_840] })) {
      const response = await port.askContent({ range });
      expect(response.status).toBe(206);
      expect(response.headers.get("content-length")).toBe(String((end ?? 0) - (start ?? 0)));
      expect(Buffer.from(await response.bytes())).toEqual(whole.subarray(start, end));
    }
    // A range past the end is cut at the end.
    const cut = await port.askContent({ range: "bytes=163839-999999" });
    expect(cut.headers.get("content-range")).toBe("bytes 163839-163839/163840");
  });

  test("refuses any range that touches a piece not held, until the piece is held", async () => {
    await writePieces(port.task, 0, 2);
    for (const range of ["bytes=65536-131071", "bytes=65535-65536", "bytes=100-140000", "bytes=-40000", "bytes=0-"]) {
      const response = await port.askContent({ range });
      expect(response.status).toBe(404);
      expect(await codeOf(response)).toBe("not-found");
    }
    await writePieces(port.task, 1);
    expect((await port.askContent({ range: "bytes=65536-131071" })).status).toBe(206);
    await port.task.drop(1);
    expect((await port.askContent({ range: "bytes=65536-131071" })).status).toBe(404);
  });

  test("gives everything with 200 when no range is asked, once it is complete", async () => {
    await writePieces(port.task, 0, 1);
    expect((await port.askContent()).status).toBe(404);
    await writePieces(port.task, 2);
    for (const headers of [{}, { range: "bytes=0-1,5-6" }, { range: "lines=1-2" }]) {
      const response = await port.askContent(headers);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-length")).toBe("163840");
      expect(response.headers.get("content-range")).toBeNull();
      expect(Buffer.from(await response.bytes())).toEqual(
        Buffer.concat([0, 1, 2].map((piece) => pieceOf(port.task.info, piece))),
      );
    }
  });

  test("gives an empty file", async () => {
    port.task = await port.store.open(aTask({ sizeBytes: 0 }));
    port.authorization = await port.ticketFor(port.task.info);
    const response = await port.askContent();
    expect(response.status).toBe(200);
    expect(response.headers.get("content-length")).toBe("0");
    expect((await response.bytes()).length).toBe(0);
    expect((await port.askContent({ range: "bytes=0-0" })).status).toBe(416);
  });

  test("answers HEAD as GET, without the bytes", async () => {
    await writePieces(port.task, 0);
    const part = await port.askContent({ range: "bytes=0-9" }, "HEAD");
    expect(part.status).toBe(206);
    expect(part.headers.get("content-length")).toBe("10");
    expect(part.headers.get("content-range")).toBe("bytes 0-9/163840");
    expect((await port.askContent({}, "HEAD")).status).toBe(404);
    await writePieces(port.task, 1, 2);
    const whole = await port.askContent({}, "HEAD");
    expect(whole.status).toBe(200);
    expect(whole.headers.get("content-length")).toBe("163840");
    expect((await whole.bytes()).length).toBe(0);
    expect(port.uploads.servedBytes).toBe(0);
  });

  test("answers 416 with the size to a range outside the content", async () => {
    const response = await port.askContent({ range: "bytes=163840-" });
    expect(response.status).toBe(416);
    expect(response.headers.get("content-range")).toBe("bytes */163840");
    expect(await codeOf(response)).toBe("range-unsatisfiable");
  });

  test("heeds If-Range and If-None-Match", async () => {
    await writeAll(port.task);
    const etag = `"${port.task.info.taskId}"`;
    expect((await port.askContent({ range: "bytes=0-9", "if-range": etag })).status).toBe(206);
    const whole = await port.askContent({ range: "bytes=0-9", "if-range": '"another"' });
    expect(whole.status).toBe(200);
    expect((await whole.bytes()).length).toBe(163_840);
    for (const tags of [etag, `"x", W/${etag}`, "*"]) {
      expect((await port.askContent({ "if-none-match": tags })).status).toBe(304);
    }
    expect((await port.askContent({ "if-none-match": '"x"' })).status).toBe(200);
  });

  test("counts the bytes it serves", async () => {
    await writeAll(port.task);
    await (await port.askContent({ range: "bytes=0-99" })).bytes();
    await (await port.askContent()).bytes();
    await (await port.askContent({ range: "bytes=999999-" })).bytes();
    expect(port.uploads.servedBytes).toBe(100 + 163_840);
    expect(port.uploads.active).toBe(0);
  });

  test("a use of the task is noted for whoever evicts, and what is on its way is told until it is there", async () => {
    await writeAll(port.task);
    const { taskId } = port.task.info;
    const { lastUsedAtMs } = port.task;
    expect(port.uploads.isSending(taskId, port.clock.nowMs)).toBe(false);
    await (await port.askContent({}, "HEAD")).bytes();
    expect(port.task.lastUsedAtMs).toBe(lastUsedAtMs);
    const big = await port.aBigTask();
    const slow = await port.askBig(big);
    expect(port.uploads.isSending(big.info.taskId, port.clock.nowMs)).toBe(true);
    expect(port.uploads.isSending(taskId, port.clock.nowMs)).toBe(false);
    // Nothing is under way for longer than a child waits, though others are.
    expect(port.uploads.isSending(big.info.taskId, port.clock.nowMs + 60_000)).toBe(false);
    await slow.bytes();
    await (await port.askContent({ range: "bytes=0-9" })).bytes();
    expect(port.task.lastUsedAtMs).toBeGreaterThan(lastUsedAtMs);
    expect(port.uploads.isSending(big.info.taskId, port.clock.nowMs)).toBe(false);
  });

  test("that is removed while it is sent arrives whole, and is offered no more", async () => {
    const big = await port.aBigTask();
    const waiting = port.ask(`/v1/tasks/${big.info.taskId}/bitfield?since=${big.version}&waitMs=30000`, {
      headers: { authorization: await port.ticketFor(big.info) },
    });
    const slow = await port.askBig(big);
    await port.store.remove(big.info.taskId);
    expect(await (await waiting).json()).toMatchObject({
      complete: false,
      bitfield: Buffer.alloc(1).toString("base64"),
    });
    expect((await port.askBig(big)).status).toBe(404);
    // The same name again, empty: what is under way must not come from it.
    await port.store.open(big.info);
    expect((await port.askBig(big)).status).toBe(404);
    const body = await slow.bytes();
    const pieces = [0, 1, 2, 3].map((piece) => pieceOf(big.info, piece));
    expect(Buffer.compare(body, Buffer.concat(pieces))).toBe(0);
  });
});
