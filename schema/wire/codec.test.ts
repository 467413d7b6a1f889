import { expect, test } from "bun:test";
import { pack } from "msgpackr";
import { decodePeerFrame } from "./codec.ts";

test("decodePeerFrame() says in one line where a frame does not fit, and what is wrong there", () => {
  const message = { type: "finish", taskId: "none", state: "lost", sourceBytes: 0, peerBytes: -1 };
  const decode = () => decodePeerFrame(pack({ v: 1, messages: [message] }));
  expect(decode).toThrow(
    /^The frame does not fit protocol 1: .*messages\[0\]\.state: .*; messages\[0\]\.peerBytes: .*$/,
  );
});

test("decodePeerFrame() tells a stranger's encoder what it does otherwise: text for bytes, bytes for keys, more than one value", () => {
  const task = {
    taskId: "0".repeat(64),
    url: "https://example.com/model.bin",
    version: 'etag:"1"',
    sizeBytes: 1,
    pieceLengthBytes: 262_144,
    ranged: true,
  };
  const announce = pack({ v: 1, messages: [{ type: "announce", task, wanting: true, have: "\u0001" }] });
  expect(() => decodePeerFrame(announce)).toThrow(/messages\[0\]\.have: must be bytes \(bin\)$/);
  const bytesAsKey = Uint8Array.of(0x81, 0xc4, 1, 0x76, 1);
  const twoValues = Buffer.concat([pack({ v: 1, messages: [] }), pack(1)]);
  for (const frame of [bytesAsKey, twoValues]) expect(() => decodePeerFrame(frame)).toThrow(/keys are text \(str\)/);
});
