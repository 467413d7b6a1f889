import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { writePieces } from "../store/fixtures.ts";
import { codeOf, PiecePort } from "./fixtures.ts";

let port: PiecePort;
beforeEach(async () => {
  port = await PiecePort.open();
});
afterEach(() => port.close());

describe("bitfield", () => {
  test("tells what is held now", async () => {
    await writePieces(port.task, 0, 2);
    expect(await (await port.askBitfield("")).json()).toEqual({
      version: 2,
      complete: false,
      bitfield: "BQ==",
      reading: [],
    });
    await writePieces(port.task, 1);
    expect(await (await port.askBitfield("?since=0&waitMs=30000")).json()).toEqual({
      version: 3,
      complete: true,
      bitfield: "Bw==",
      reading: [],
    });
  });

  test("waits for a newer version, and tells at once when there is one", async () => {
    const waiting = port.askBitfield("?since=0&waitMs=30000");
    await port.askBitfield("");
    await writePieces(port.task, 1);
    expect(await (await waiting).json()).toMatchObject({ version: 1, bitfield: "Ag==" });
  });

  test("answers with what it has when the time is up", async () => {
    expect(await (await port.askBitfield("?since=0&waitMs=1")).json()).toMatchObject({ version: 0, bitfield: "AA==" });
  });

  test("answers at once to a version of an earlier life of this host", async () => {
    expect(await (await port.askBitfield("?since=17&waitMs=30000")).json()).toMatchObject({ version: 0 });
  });

  test("refuses what is no count", async () => {
    for (const query of ["?since=-1", "?since=x", "?waitMs=1e9", "?waitMs=", "?since=9999999999999999"]) {
      expect(await codeOf(await port.askBitfield(query))).toBe("bad-request");
    }
  });

  test("does not keep the server from stopping", async () => {
    const waiting = port.askBitfield("?since=0&waitMs=30000");
    await port.askBitfield("");
    await port.stop();
    // Answered, or cut off when it had not been read yet.
    await waiting.then(
      async (response) => expect(await response.json()).toMatchObject({ version: 0 }),
      () => {},
    );
  });
});
