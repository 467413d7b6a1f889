import { describe, expect, test } from "bun:test";
import type { Policy } from "./policy.ts";
import { announceOf, aTask, progressOf } from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

const SEED = 100;
const task = aTask(1, 1024);

/** A seed and hosts 1 to 3 want the task; the seed reads so many of its pieces in a while. */
function aScene(pieces: number, afterMs: number, overrides: Partial<Policy> = {}): Scene {
  const scene = new Scene(overrides);
  scene.greet([1, 2, 3]);
  scene.greet([SEED], { role: "seed" });
  for (const number of [SEED, 1, 2, 3]) scene.say(number, announceOf(task));
  for (let at = 0; at < pieces; at += 4) {
    scene.wait((4 * afterMs) / pieces);
    scene.say(SEED, progressOf(task, { added: [{ firstPiece: at, pieceCount: 4 }] }));
  }
  return scene;
}

const reads = (scene: Scene, number: number) => scene.peer(task.taskId, number).leases.size > 0;
const { seedAloneMs } = new Scene().policy;

describe("beside a seed", () => {
  test("nobody reads as long as it may soon be done", () => {
    const scene = aScene(16, seedAloneMs - 100);
    expect(reads(scene, SEED)).toBe(true);
    for (const number of [1, 2, 3]) expect(reads(scene, number)).toBe(false);
  });

  test("nobody reads when it is fast", () => {
    const scene = aScene(512, seedAloneMs + 100);
    for (const number of [1, 2, 3]) expect(reads(scene, number)).toBe(false);
  });

  test("that has long to go others read what nobody holds or reads", () => {
    const scene = aScene(16, seedAloneMs + 100);
    for (const number of [SEED, 1, 2, 3]) expect(reads(scene, number)).toBe(true);
    const leased = [...scene.task(task.taskId).leases.values()].flatMap(({ firstPiece, pieceCount }) =>
      Array.from({ length: pieceCount }, (_, n) => firstPiece + n),
    );
    expect(new Set(leased).size).toBe(leased.length);
    expect(leased.some((piece) => piece < 16)).toBe(false);
  });

  test("nobody reads any more once the source refused one of them", () => {
    const scene = aScene(16, seedAloneMs + 100, { sourceBackoffMs: 500 });
    const problem = { code: "source-refused", message: "403" } as const;
    for (const number of [1, 2, 3]) {
      const leaseIds = [...scene.peer(task.taskId, number).leases].map(({ leaseId }) => leaseId);
      scene.say(number, { type: "return-leases", taskId: task.taskId, leaseIds, problem });
    }
    scene.wait(scene.policy.sourceBackoffMs + 1);
    scene.say(SEED, progressOf(task, { added: [{ firstPiece: 16, pieceCount: 4 }] }));
    for (const number of [1, 2, 3]) expect(reads(scene, number)).toBe(false);
  });

  test("that is fast enough again in another attempt nobody reads", () => {
    const scene = aScene(16, seedAloneMs + 100);
    for (const number of [SEED, 1, 2, 3]) scene.say(number, announceOf(task, { wanting: false, have: [] }));
    for (const number of [SEED, 1]) scene.say(number, announceOf(task));
    expect(reads(scene, SEED)).toBe(true);
    expect(reads(scene, 1)).toBe(false);
  });
});
