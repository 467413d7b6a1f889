import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { writePieces } from "../store/fixtures.ts";
import { codeOf, hostOf, PiecePort, until } from "./fixtures.ts";
import { UploadMeter } from "./upload-meter.ts";

const KIB = 1024;
let port: PiecePort;
beforeEach(async () => {
  port = await PiecePort.open();
});
afterEach(() => port.close());

describe("upload slots", () => {
  test("answers 429 while all upload slots are busy, and serves again when one is free", async () => {
    await port.restart({ uploads: new UploadMeter(2) });
    const big = await port.aBigTask();
    await writePieces(port.task, 0);

    const slow = [await port.askBig(big), await port.askBig(big)];
    expect(port.uploads.active).toBe(2);
    const refused = await port.askContent({ range: "bytes=0-9" });
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.headers.get("retry-after-ms")).toBe("250");
    expect(port.uploads.refused.slots).toBe(1);
    expect(await codeOf(refused)).toBe("too-many-requests");
    // Neither a question nor a HEAD needs a slot.
    expect((await port.askBitfield("")).status).toBe(200);
    expect((await port.askContent({ range: "bytes=0-9" }, "HEAD")).status).toBe(206);

    expect((await slow[0]?.bytes())?.length).toBe(64 * 1024 * KIB);
    expect((await port.askContent({ range: "bytes=0-9" })).status).toBe(206);
    await slow[1]?.body?.cancel();
  });

  test("answers 429 to a child that has more on its way than one that waits, and says so, until that one came", async () => {
    await port.restart({ uploads: new UploadMeter(2) });
    const big = await port.aBigTask();
    await writePieces(port.task, 0);
    const one = { range: "bytes=0-9" };
    const rich = { ...one, "x-pantala-outstanding": "1000", authorization: await port.ticketOf("e") };
    const poor = { ...one, "x-pantala-outstanding": "0", authorization: await port.ticketOf("d") };

    const slow = [await port.askBig(big), await port.askBig(big)];
    const full = await port.askContent(poor);
    expect([full.status, full.headers.get("x-pantala-refusal")]).toEqual([429, "slots"]);
    await slow[0]?.body?.cancel();
    await until(async () => port.uploads.active === 1);
    const kept = await port.askContent(rich);
    expect([kept.status, kept.headers.get("x-pantala-refusal")]).toEqual([429, "share"]);
    expect(Number(kept.headers.get("retry-after-ms"))).toBeGreaterThan(0);
    expect(await codeOf(kept)).toBe("too-many-requests");
    expect((await port.askContent(poor)).status).toBe(206);
    expect((await port.askContent(rich)).status).toBe(206);
    await slow[1]?.body?.cancel();
  });

  test("counts what a child has on its way itself, whatever that says or does not say, and no more than that", async () => {
    await port.restart({ uploads: new UploadMeter(3) });
    const big = await port.aBigTask();
    await writePieces(port.task, 0);
    const one = { range: "bytes=0-9" };
    const silentOne = { ...one, "x-pantala-outstanding": "0" };
    const waiting = { ...one, authorization: await port.ticketOf("d") };
    const third = {
      authorization: await port.ticketFor(big.info, hostOf("e")),
    };
    const askAsThird = () => port.ask(`/v1/tasks/${big.info.taskId}/content`, { headers: third });
    const refusalOf = async (headers: Record<string, string>) =>
      (await port.askContent(headers)).headers.get("x-pantala-refusal");

    const taken = [await port.askBig(big), await port.askBig(big)];
    const between = await askAsThird();
    expect(await refusalOf(waiting)).toBe("slots");
    await between.body?.cancel();
    await until(async () => port.uploads.active === 2);
    expect(await refusalOf(silentOne)).toBe("share");
    expect(await refusalOf(one)).toBe("share");
    expect(await refusalOf(waiting)).toBeNull();

    expect((await taken[0]?.bytes())?.length).toBe(64 * 1024 * KIB);
    await taken[1]?.body?.cancel();
    await until(async () => port.uploads.active === 0);
    // Nobody waits any more.
    port.clock.nowMs += 2000;
    const [first, ...rest] = [await askAsThird(), await askAsThird(), await askAsThird()];
    expect(await refusalOf(waiting)).toBe("slots");
    await first?.body?.cancel();
    await until(async () => port.uploads.active === 2);
    expect((await askAsThird()).headers.get("x-pantala-refusal")).toBe("share");
    expect(await refusalOf(silentOne)).toBeNull();
    for (const { body } of rest) await body?.cancel();
  });

  test("a slot is busy until the child says that its piece came, though the server has answered long ago", async () => {
    await port.restart({ uploads: new UploadMeter(2) });
    await writePieces(port.task, 0);
    const other = await port.ticketOf("d");
    const refusalOf = async (outstandingBytes: number, more: Record<string, string> = {}) => {
      const headers = { range: "bytes=0-9", "x-pantala-outstanding": String(outstandingBytes), ...more };
      const response = await port.askContent(headers);
      await response.bytes();
      return response.headers.get("x-pantala-refusal");
    };

    expect([await refusalOf(0), await refusalOf(10)]).toEqual([null, null]);
    await until(async () => port.uploads.active === 0);
    expect(port.uploads.busySlots(port.clock.nowMs)).toBe(2);
    expect(await refusalOf(0, { authorization: other })).toBe("slots");
    expect(await refusalOf(20)).toBe("slots");
    // One came, and whoever has none comes first.
    expect(await refusalOf(10)).toBe("share");
    expect(await refusalOf(0, { authorization: other })).toBeNull();
    expect(await refusalOf(10)).toBe("slots");
    // Nobody who says no more is waited for.
    port.clock.nowMs += 2000;
    expect([await refusalOf(0), await refusalOf(10)]).toEqual([null, null]);
  });

  test("who waits for news takes no upload slot", async () => {
    await port.restart({ uploads: new UploadMeter(1) });
    await writePieces(port.task, 0);
    const waiting = Array.from({ length: 20 }, () => port.askBitfield("?since=1&waitMs=30000"));
    expect((await port.askContent({ range: "bytes=0-9" })).status).toBe(206);
    await writePieces(port.task, 1);
    for (const response of await Promise.all(waiting)) expect(response.status).toBe(200);
    expect((await port.askContent({ range: "bytes=0-9" })).status).toBe(206);
  });
});
