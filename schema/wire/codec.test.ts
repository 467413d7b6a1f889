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
