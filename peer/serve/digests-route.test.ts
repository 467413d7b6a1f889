import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { writePieces } from "../store/fixtures.ts";
import { PiecePort } from "./fixtures.ts";

let port: PiecePort;
beforeEach(async () => {
  port = await PiecePort.open();
});
afterEach(() => port.close());

describe("digests", () => {
  const askDigests = (query: string) => port.ask(`/v1/tasks/${port.task.info.taskId}/digests${query}`);

  test("are told of pieces that are held, and of no others", async () => {
    await writePieces(port.task, 0, 2);
    const reply = await askDigests("?of=0-2");
    expect(reply.status).toBe(200);
    const hex = (piece: number) => Buffer.from(port.task.digestOf(piece) ?? "").toString("hex");
    expect(await reply.json()).toEqual({ digests: [0, 2].map((piece) => ({ piece, digest: hex(piece) })) });
  });

  test("are refused to a question that is no list of runs or names too many pieces", async () => {
    for (const query of ["", "?of=", "?of=2-1", "?of=0-2048", `?of=${"0-0,".repeat(64)}0-0`])
      expect((await askDigests(query)).status).toBe(400);
  });
});
