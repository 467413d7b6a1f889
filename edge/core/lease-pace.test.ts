import { expect, test } from "bun:test";
import { unreadBytes } from "./lease-pace.ts";
import { announceOf, aTask, progressOf } from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

test("unreadBytes() ends where the content ends, so that a last piece which came is not taken for a slow one", () => {
  const task = aTask(1, 1, { sizeBytes: 12_345 });
  const scene = new Scene();
  scene.greet([1]);
  scene.say(1, announceOf(task));
  const [lease] = scene.peer(task.taskId, 1).leases;
  if (lease === undefined) throw new Error("Nothing was granted");
  expect(unreadBytes(lease)).toBe(12_345);
  const { leaseId, firstPiece, pieceCount } = lease;
  scene.say(1, progressOf(task, { leases: [{ leaseId, firstPiece, pieceCount, readBytes: 12_345 }] }));
  expect(unreadBytes(lease)).toBe(0);
});
