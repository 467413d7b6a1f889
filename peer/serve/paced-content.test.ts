import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdir, readlink } from "node:fs/promises";
import { pieceOf, writeAll } from "../store/fixtures.ts";
import type { StoredTask } from "../store/piece-store.ts";
import { PiecePort, until } from "./fixtures.ts";
import { UploadMeter } from "./upload-meter.ts";

const KIB = 1024;
const UNLIMITED = Number.POSITIVE_INFINITY;
let port: PiecePort;
beforeEach(async () => {
  port = await PiecePort.open();
});
afterEach(() => port.close());

describe("content with an upload limit", () => {
  const wholeOf = ({ info }: StoredTask) => Buffer.concat([0, 1, 2, 3].map((piece) => pieceOf(info, piece)));
  /** So slow that nothing after the burst goes while a test runs. */
  const STANDSTILL = { hostBps: 16 * KIB, taskBps: UNLIMITED };

  test("is the same bytes under the same headers, except for the length", async () => {
    await writeAll(port.task);
    port.uploadLimit.set({ hostBps: 64 * KIB * KIB, taskBps: UNLIMITED });
    const response = await port.askContent({ range: "bytes=65000-140000" });
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe("bytes 65000-140000/163840");
    expect(response.headers.get("etag")).toBe(`"${port.task.info.taskId}"`);
    const whole = Buffer.concat([0, 1, 2].map((piece) => pieceOf(port.task.info, piece)));
    expect(Buffer.from(await response.bytes())).toEqual(whole.subarray(65_000, 140_001));
    expect(port.uploads.servedBytes).toBe(75_001);
    expect((await port.askContent({ range: "bytes=65000-140000" }, "HEAD")).headers.get("content-length")).toBe(
      "75001",
    );
  });

  test("goes on at full speed once the limit is lifted, and counts what went", async () => {
    const big = await port.aBigTask();
    port.uploadLimit.set(STANDSTILL);
    const response = await port.askBig(big);
    expect(port.uploads.active).toBe(1);
    expect(port.uploads.servedBytes).toBeLessThanOrEqual(8 * KIB);
    port.uploadLimit.set({ hostBps: UNLIMITED, taskBps: UNLIMITED });
    expect(Buffer.compare(await response.bytes(), wholeOf(big))).toBe(0);
    expect(port.uploads.servedBytes).toBe(64 * KIB * KIB);
  });

  test("bounds each task and lets others pass", async () => {
    const big = await port.aBigTask();
    await writeAll(port.task);
    port.uploadLimit.set({ hostBps: UNLIMITED, taskBps: 16 * KIB });
    const slow = await port.askBig(big);
    // It is within the burst of its own task.
    expect((await (await port.askContent({ range: "bytes=0-4095" })).bytes()).length).toBe(4 * KIB);
    await slow.body?.cancel();
  });

  test("holds a slot until it is over, and gives slot, file and share back when the child goes away", async () => {
    await port.restart({ uploads: new UploadMeter(1) });
    const big = await port.aBigTask();
    const openOnes = async () => {
      const links = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
      return (await Promise.all(links)).filter((path) => path === big.path).length;
    };
    const before = await openOnes();
    port.uploadLimit.set(STANDSTILL);
    const slow = await port.askBig(big);
    expect((await port.askBig(big)).status).toBe(429);
    expect(await openOnes()).toBe(before + 1);
    await slow.body?.cancel();
    await until(async () => port.uploads.active === 0 && (await openOnes()) === before);
    port.uploadLimit.set({ hostBps: UNLIMITED, taskBps: UNLIMITED });
    expect((await (await port.askBig(big)).bytes()).length).toBe(64 * KIB * KIB);
  });

  test("still comes from the task that was asked for when that is removed and made anew", async () => {
    const big = await port.aBigTask();
    port.uploadLimit.set(STANDSTILL);
    const slow = await port.askBig(big);
    const reader = slow.body?.getReader() ?? expect.unreachable();
    const first = (await reader.read()).value ?? expect.unreachable();
    await port.store.remove(big.info.taskId);
    await port.store.open(big.info);
    port.uploadLimit.set({ hostBps: UNLIMITED, taskBps: UNLIMITED });
    const parts = [first];
    for (let next = await reader.read(); !next.done; next = await reader.read()) parts.push(next.value);
    expect(Buffer.compare(Buffer.concat(parts), wholeOf(big))).toBe(0);
  });
});
