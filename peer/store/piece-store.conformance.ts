/** What every piece store promises. A driver is done when this passes. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { aTask, pieceOf, writeAll, writePieces } from "./fixtures.ts";
import { blake3 } from "./hash.ts";
import type { PieceStore, StoredTask } from "./piece-store.ts";

export interface StoreUnderTest extends AsyncDisposable {
  readonly store: PieceStore;
  /** What the store takes for the time. */
  readonly nowMs: number;
}

export function pieceStoreConformance(name: string, openStore: () => Promise<StoreUnderTest>): void {
  describe(`${name} piece store`, () => {
    let under: StoreUnderTest;
    let store: PieceStore;
    beforeEach(async () => {
      under = await openStore();
      store = under.store;
    });
    afterEach(async () => {
      await under[Symbol.asyncDispose]();
    });

    test("open() gives a new task that holds nothing", async () => {
      const info = aTask();
      const task = await store.open(info);
      expect(task.info).toEqual(info);
      expect(task).toMatchObject({ heldCount: 0, complete: false, completedAtMs: null, version: 0 });
      expect(task.createdAtMs).toBe(under.nowMs);
      expect(task.held).toEqual(new Uint8Array([0]));
    });

    test("open() gives every caller the same object, also when they call at once", async () => {
      const info = aTask();
      const [first, second] = await Promise.all([store.open(info), store.open(info)]);
      expect(second).toBe(first);
      expect(store.get(info.taskId)).toBe(first);
      expect(store.list()).toEqual([first]);
    });

    test("open() refuses a task stored with another size or piece length", async () => {
      const info = aTask();
      await store.open(info);
      const wrong = [
        { ...info, sizeBytes: info.sizeBytes + 1 },
        { ...info, pieceLengthBytes: 128 * 1024 },
      ];
      for (const other of wrong) await expect(store.open(other)).rejects.toMatchObject({ code: "task-mismatch" });
    });

    test("open() refuses a task that obviously does not fit", async () => {
      const info = aTask({ sizeBytes: 2 ** 43, pieceLengthBytes: 16 * 2 ** 20 });
      const refused = { code: "disk-full", detail: { neededBytes: info.sizeBytes, freeBytes: expect.any(Number) } };
      await expect(store.open(info)).rejects.toMatchObject(refused);
      expect(store.get(info.taskId)).toBeUndefined();
    });

    test("an empty file is complete at once", async () => {
      const task = await store.open(aTask({ sizeBytes: 0 }));
      expect(task).toMatchObject({ heldCount: 0, complete: true, completedAtMs: under.nowMs });
    });

    test("write() makes a piece held, with its digest and bytes", async () => {
      const task = await store.open(aTask());
      await writePieces(task, 2, 0);
      expect(task.held).toEqual(new Uint8Array([0b101]));
      expect(task).toMatchObject({ heldCount: 2, complete: false, version: 2 });
      for (const piece of [0, 2]) {
        expect(await task.read(piece)).toEqual(pieceOf(task.info, piece));
        expect(task.digestOf(piece)).toEqual(blake3(pieceOf(task.info, piece)));
      }
      expect(task.digestOf(1)).toBeUndefined();
      await expect(task.read(1)).rejects.toMatchObject({ code: "store-failed" });
    });

    test("write() of different pieces may overlap, of the same piece it happens once", async () => {
      const task = await store.open(aTask());
      await Promise.all([0, 1, 2, 1, 0].map((piece) => writePieces(task, piece)));
      expect(task).toMatchObject({ heldCount: 3, complete: true, completedAtMs: under.nowMs, version: 3 });
      for (const piece of [0, 1, 2]) expect(await task.read(piece)).toEqual(pieceOf(task.info, piece));
    });

    test("write() of a held piece changes nothing", async () => {
      const task = await store.open(aTask());
      await writePieces(task, 0);
      await task.write(0, new Uint8Array(64 * 1024), new Uint8Array(32).fill(9));
      expect(task.version).toBe(1);
      expect(await task.read(0)).toEqual(pieceOf(task.info, 0));
    });

    test("write() refuses a piece that is none of this task, or not whole, or without digest", async () => {
      const task = await store.open(aTask());
      const bytes = pieceOf(task.info, 0);
      const digest = blake3(bytes);
      for (const piece of [-1, 3, 0.5, Number.NaN])
        await expect(task.write(piece, bytes, digest)).rejects.toThrow(RangeError);
      await expect(task.write(0, bytes.subarray(1), digest)).rejects.toThrow(RangeError);
      await expect(task.write(2, bytes, digest)).rejects.toThrow(RangeError);
      await expect(task.write(0, bytes, digest.subarray(1))).rejects.toThrow(RangeError);
      await expect(task.write(0, bytes, new Uint8Array(32))).rejects.toThrow(RangeError);
      expect(task).toMatchObject({ heldCount: 0, version: 0 });
    });

    test("drop() forgets one piece, which can be written again", async () => {
      const task = await store.open(aTask());
      await writeAll(task);
      await task.drop(1);
      expect(task).toMatchObject({ heldCount: 2, complete: false, completedAtMs: null, version: 4 });
      await expect(task.read(1)).rejects.toMatchObject({ code: "store-failed" });
      await task.drop(1);
      expect(task.version).toBe(4);
      await writePieces(task, 1);
      expect(task).toMatchObject({ complete: true, completedAtMs: under.nowMs, version: 5 });
      expect(await task.read(1)).toEqual(pieceOf(task.info, 1));
    });

    test("changed() resolves at once when the version is above, and when it gets there", async () => {
      const task = await store.open(aTask());
      await task.changed(-1, 60_000);
      const first = task.changed(0, 60_000);
      let secondCame = false;
      const second = task.changed(1, 60_000).then(() => {
        secondCame = true;
      });
      await writePieces(task, 0);
      await first;
      expect(secondCame).toBe(false);
      await task.drop(0);
      await second;
    });

    test("changed() resolves when the time is up and when it is given up", async () => {
      const task = await store.open(aTask());
      await task.changed(0, 1);
      await task.changed(0, 0);
      const controller = new AbortController();
      const waiting = task.changed(0, 60_000, controller.signal);
      controller.abort();
      await waiting;
      await task.changed(0, 60_000, controller.signal);
      expect(task.version).toBe(0);
    });

    test("storedBytes() counts the pieces held over all tasks", async () => {
      const [one, two] = [await store.open(aTask()), await store.open(aTask())];
      expect(store.storedBytes()).toBe(0);
      await writePieces(one, 0, 2);
      await writePieces(two, 1);
      expect(store.storedBytes()).toBe((64 + 32 + 64) * 1024);
      await one.drop(0);
      expect(store.storedBytes()).toBe((32 + 64) * 1024);
      expect(await store.freeBytes()).toBeGreaterThan(0);
    });

    test("every use has a later time than the one before: opening, taking and releasing a pin, serving", async () => {
      const task = await store.open(aTask());
      const times = [task.lastUsedAtMs];
      const note = () => times.push(task.lastUsedAtMs);
      await store.open(task.info).then(note);
      const pin = task.pin();
      note();
      pin[Symbol.dispose]();
      note();
      task.noteUse();
      note();
      expect(times).toEqual([0, 1, 2, 3, 4].map((n) => under.nowMs + n));
      pin[Symbol.dispose]();
      await writeAll(task);
      await task.read(0);
      expect(task.lastUsedAtMs).toBe(under.nowMs + 4);
    });

    test("remove() of a task whose last use is given refuses when it was used since", async () => {
      const task = await store.open(aTask());
      const { lastUsedAtMs } = task;
      task.noteUse();
      await expect(store.remove(task.info.taskId, lastUsedAtMs)).rejects.toMatchObject({ code: "task-busy" });
      await store.remove(task.info.taskId, task.lastUsedAtMs);
      expect(store.list()).toEqual([]);
    });

    test("keep() pins a task until it is taken back", async () => {
      const task = await store.open(aTask());
      expect(task.pinned).toBe(false);
      await task.keep(true);
      expect(task).toMatchObject({ pinned: true, inUse: false });
      const refused = { code: "task-busy", message: expect.stringContaining("pantala task unpin") };
      await expect(store.remove(task.info.taskId)).rejects.toMatchObject(refused);
      await task.keep(false);
      await store.remove(task.info.taskId);
    });

    test("inUse tells whether a pin is held", async () => {
      const task = await store.open(aTask());
      expect(task.inUse).toBe(false);
      const pin = task.pin();
      expect(task.inUse).toBe(true);
      pin[Symbol.dispose]();
      expect(task.inUse).toBe(false);
    });

    test("room is never less than the pieces held, measured or not", async () => {
      const task = await store.open(aTask());
      await writePieces(task, 0);
      expect(task.room.allocatedBytes).toBeGreaterThanOrEqual(64 * 1024);
      await task.measure();
      await writePieces(task, 1);
      expect(task.room.allocatedBytes).toBeGreaterThanOrEqual(128 * 1024);
      expect((await task.measure()).allocatedBytes).toBeGreaterThanOrEqual(128 * 1024);
      expect(task.room.freedBytes).toBe(task.room.allocatedBytes);
    });

    const begun = (task: StoredTask, piece: number, readable = false) => {
      const writer = task.begin(piece, { readable });
      if (writer === undefined) throw new Error(`piece ${piece} cannot be begun`);
      return writer;
    };

    test("begin() keeps a piece that comes in chunks of any length", async () => {
      const task = await store.open(aTask());
      const bytes = pieceOf(task.info, 1);
      const writer = begun(task, 1);
      for (let at = 0, length = 1; at < bytes.length; at += length, length *= 7) {
        await writer.append(bytes.subarray(at, at + length));
      }
      expect([task.heldCount, task.inUse]).toEqual([0, true]);
      expect(await writer.keep(blake3(bytes))).toBe(true);
      expect([task.heldCount, task.inUse]).toEqual([1, false]);
      expect(await task.read(1)).toEqual(bytes);
      expect(await task.read(1, 10, 30)).toEqual(bytes.subarray(10, 30));
    });

    test("begin() gives a piece to one writer at a time, and none that is held", async () => {
      const task = await store.open(aTask());
      await writePieces(task, 0);
      expect(task.begin(0, { readable: false })).toBeUndefined();
      const writer = begun(task, 1);
      expect(task.begin(1, { readable: false })).toBeUndefined();
      writer[Symbol.dispose]();
      begun(task, 1)[Symbol.dispose]();
      expect(task.inUse).toBe(false);
    });

    test("a writer that gives up leaves nothing that counts", async () => {
      const task = await store.open(aTask());
      const writer = begun(task, 1, true);
      await writer.append(new Uint8Array(1000).fill(9));
      writer[Symbol.dispose]();
      expect([task.heldCount, task.readableBytes(1)]).toEqual([0, 0]);
      expect(await writer.keep(blake3(pieceOf(task.info, 1)))).toBe(false);
      await writePieces(task, 1);
      expect(await task.read(1)).toEqual(pieceOf(task.info, 1));
    });

    test("write() takes the place of a writer that is on the way", async () => {
      const task = await store.open(aTask());
      const writer = begun(task, 0);
      await writer.append(new Uint8Array(64 * 1024).fill(9));
      await writePieces(task, 0);
      await writer.append(new Uint8Array(1).fill(9));
      expect(await writer.keep(new Uint8Array(32).fill(9))).toBe(false);
      expect(await task.read(0)).toEqual(pieceOf(task.info, 0));
      expect(task.digestOf(0)).toEqual(blake3(pieceOf(task.info, 0)));
    });

    test("keep() refuses a piece that is not all there", async () => {
      const task = await store.open(aTask());
      using writer = begun(task, 0);
      await writer.append(new Uint8Array(1000));
      await expect(writer.keep(new Uint8Array(32).fill(9))).rejects.toThrow(RangeError);
      expect(task.heldCount).toBe(0);
    });

    test("restarts() counts what was readable and given up half way", async () => {
      const task = await store.open(aTask());
      for (const readable of [true, false, true]) {
        using writer = begun(task, 0, readable);
        await writer.append(new Uint8Array(600 * 1024).subarray(0, 1000));
        while (readable && task.readableBytes(0) === 0) await task.grown(task.growth, 10);
      }
      const writer = begun(task, 1, true);
      await writer.append(pieceOf(task.info, 1));
      await writer.keep(blake3(pieceOf(task.info, 1)));
      expect([task.restarts(0), task.restarts(1)]).toEqual([2, 0]);
    });

    test("readableBytes() tells what has come of a readable piece, grown() when there is more", async () => {
      const task = await store.open(aTask());
      const bytes = pieceOf(task.info, 1);
      using hidden = begun(task, 0);
      using writer = begun(task, 1, true);
      await hidden.append(bytes.subarray(0, 1000));
      const since = task.growth;
      await writer.append(bytes.subarray(0, 1000));
      await task.grown(since, 60_000);
      expect([task.readableBytes(0), task.readableBytes(1), task.heldCount]).toEqual([0, 1000, 0]);
      expect(await task.read(1, 400, 1000)).toEqual(bytes.subarray(400, 1000));
      await expect(task.read(1, 0, 1001)).rejects.toMatchObject({ code: "store-failed" });
      const before = task.growth;
      const held = task.grown(before, 60_000);
      await writePieces(task, 2);
      await held;
      expect(task.growth).toBeGreaterThan(before);
    });

    test("remove() waits for no one: it refuses a pinned task and deletes a free one", async () => {
      const task = await store.open(aTask());
      await writeAll(task);
      const pins = [task.pin(), task.pin()];
      for (const pin of pins) {
        await expect(store.remove(task.info.taskId)).rejects.toMatchObject({ code: "task-busy" });
        pin[Symbol.dispose]();
        pin[Symbol.dispose]();
      }
      const waiting = task.changed(task.version, 60_000);
      await store.remove(task.info.taskId);
      await waiting;
      // Whoever still has the object must not tell others that it has pieces.
      expect(task).toMatchObject({ heldCount: 0, heldBytes: 0, complete: false });
      expect(task.held).toEqual(new Uint8Array([0]));
      await expect(task.read(0)).rejects.toMatchObject({ code: "store-failed" });
      expect(store.get(task.info.taskId)).toBeUndefined();
      expect(store.list()).toEqual([]);
      expect(store.storedBytes()).toBe(0);
      await expect(store.remove(task.info.taskId)).rejects.toMatchObject({ code: "task-not-found" });
      expect(await store.open(task.info)).toMatchObject({ heldCount: 0, complete: false });
    });
  });
}
