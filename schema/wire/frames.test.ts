import { describe, expect, test } from "bun:test";
import type { TaskId } from "../ids.ts";
import { decodePeerFrame, encodePeerFrame, MAX_FRAME_BYTES, MAX_MESSAGES_PER_FRAME } from "./codec.ts";
import { framesOf } from "./frames.ts";
import type { PeerMessage } from "./peer-message.ts";

function announcement(number: number, haveBytes: number): PeerMessage {
  const sizeBytes = haveBytes * 8 * 65_536;
  return {
    type: "announce",
    task: {
      taskId: number.toString(16).padStart(64, "0") as TaskId,
      url: "http://source.example/model.bin",
      tag: "",
      application: "",
      version: "size:1",
      sizeBytes,
      pieceLengthBytes: 65_536,
      ranged: true,
    },
    wanting: false,
    have: new Uint8Array(haveBytes).fill(255),
    leases: [],
  };
}

const many = (count: number, haveBytes: number) =>
  Array.from({ length: count }, (_, number) => announcement(number, haveBytes));

describe("framesOf()", () => {
  test("makes no frame of no messages", () => {
    expect(framesOf([], encodePeerFrame)).toEqual([]);
  });

  test("makes one frame of what fits into one", () => {
    expect(framesOf(many(1000, 1), encodePeerFrame).length).toBe(1);
  });

  test.each([
    ["too many", 3000, 1],
    ["too long", 40, 128 * 1024],
  ])("cuts messages that are %s for one frame, and loses none of them nor their order", (_what, count, haveBytes) => {
    const frames = framesOf(many(count, haveBytes), encodePeerFrame);
    const messages = frames.map((frame) => decodePeerFrame(frame));
    for (const frame of frames) expect(frame.length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
    for (const part of messages) expect(part.length).toBeLessThanOrEqual(MAX_MESSAGES_PER_FRAME);
    expect(messages.flat()).toEqual(many(count, haveBytes));
  });

  test("leaves room for what the encoder puts in front", () => {
    const intro = announcement(9999, 100 * 1024);
    const frames = framesOf(many(20, 100 * 1024), (part) => encodePeerFrame([intro, ...part]));
    for (const frame of frames) expect(frame.length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
    expect(frames.flatMap((frame) => decodePeerFrame(frame).slice(1)).length).toBe(20);
  });
});
