import { describe, expect, test } from "bun:test";
import { explainTask } from "./explain.ts";
import { announceOf, aTask, digestRun, finishOf, PIECE_BYTES, progressOf } from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

const PIECES = 64;
const task = aTask(1, PIECES);
/** Four pieces a second. */
const BPS = 4 * PIECE_BYTES;

/** Hosts read all they are granted within 100 ms. @returns pieces granted so far, by 100 ms */
function readAll(scene: Scene, hosts: readonly number[], forMs: number): number[] {
  const granted: number[] = [];
  let sum = 0;
  for (let ms = 0; ms < forMs; ms += 100) {
    for (const host of hosts) {
      for (const [firstPiece, pieceCount] of scene.granted(host)) {
        sum += pieceCount;
        const digests = digestRun(Array.from({ length: pieceCount }, (_, at) => firstPiece + at));
        scene.say(host, progressOf(task, { added: [{ firstPiece, pieceCount }], digests }));
      }
    }
    granted.push(sum);
    scene.wait(100);
  }
  return granted;
}

function herd(hosts: readonly number[], policy: ConstructorParameters<typeof Scene>[0]): Scene {
  const scene = new Scene(policy);
  scene.greet(hosts);
  for (const host of hosts) scene.say(host, announceOf(task));
  return scene;
}

describe("a budget of bytes a second", () => {
  for (const hosts of [[1], [1, 2, 3, 4, 5]])
    test(`is what ${hosts.length} hosts read of the source together, and they use it`, () => {
      const scene = herd(hosts, { sourceBpsPerTask: BPS });
      const granted = readAll(scene, hosts, 17_000);
      for (const [at, pieces] of granted.entries()) {
        const seconds = at / 10;
        expect(pieces).toBeLessThanOrEqual(4 * (seconds + 1));
        expect(pieces).toBeGreaterThanOrEqual(Math.min(PIECES, 4 * (seconds - 1)));
      }
      expect(granted.at(-1)).toBe(PIECES);
    });

  test("lets a piece be read that is longer than the budget of a second, and then nothing for so long", () => {
    const scene = herd([1], { sourceBpsPerTask: PIECE_BYTES / 10 });
    expect(scene.granted(1)).toEqual([[0, 1]]);
    scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 1 }] }));
    scene.wait(9900);
    expect(scene.granted(1)).toEqual([]);
    scene.wait(100);
    expect(scene.granted(1)).toEqual([[1, 1]]);
  });

  test("is named to those who wait for it, with how long", () => {
    const scene = herd([1], { sourceBpsPerTask: PIECE_BYTES });
    scene.say(1, progressOf(task, { added: [{ firstPiece: 0, pieceCount: 1 }] }));
    const explained = explainTask(scene.swarm, scene.task(task.taskId), scene.policy, scene.nowMs);
    expect(explained.readers).toMatchObject([{ standing: "budget-spent", restMs: 1000 }]);
  });

  test("does not cut a source without ranges", () => {
    const whole = aTask(2, PIECES, { ranged: false });
    const scene = new Scene({ sourceBpsPerTask: BPS });
    scene.greet([1]);
    scene.say(1, announceOf(whole));
    expect(scene.granted(1)).toEqual([[0, PIECES]]);
  });

  test("is not overdrawn by readers at many places", () => {
    const scene = new Scene({ sourceBpsPerTask: PIECE_BYTES });
    scene.greet([1]);
    scene.say(1, announceOf(task, { cursors: [10, 20, 30, 40, 50] }));
    expect(scene.task(task.taskId).sourceBudget.paidUntilMs - scene.nowMs).toBeLessThanOrEqual(2000);
  });

  describe("with one piece in eight seconds", () => {
    const one = aTask(3, 1);
    function begun() {
      const scene = new Scene({ sourceBpsPerTask: PIECE_BYTES / 8 });
      scene.greet([1, 2]);
      for (const host of [1, 2]) scene.say(host, announceOf(one));
      const [lease] = scene.told(1, "leases").flatMap(({ granted }) => granted);
      if (lease === undefined) throw new Error("Nothing was granted");
      scene.wait(4000);
      return { scene, lease };
    }

    test("lets another host read at once what one gives back unread", () => {
      const { scene } = begun();
      scene.say(1, finishOf(one, "left"));
      expect(scene.granted(2)).toEqual([[0, 1]]);
    });

    test("lets another host read what one gives back half read once the half that was read is paid for", () => {
      const { scene, lease } = begun();
      scene.say(1, progressOf(one, { leases: [{ ...lease, readBytes: (3 / 4) * PIECE_BYTES }] }));
      scene.say(1, finishOf(one, "left"));
      scene.wait(1999);
      expect(scene.granted(2)).toEqual([]);
      scene.wait(1);
      expect(scene.granted(2)).toEqual([[0, 1]]);
    });
  });
});
