import { describe, expect, test } from "bun:test";
import { DEFAULT_POLICY } from "./policy.ts";
import { aHost, allPieces, announceOf, aTask, digestRun, hostIdOf, progressOf } from "./testing/fixtures.ts";
import { Herd } from "./testing/herd.ts";
import { Scene } from "./testing/scene.ts";
import type { SimHost } from "./testing/sim-host.ts";

const PIECES = 100;

/** The numbers of hosts that want the task; those in `holders` have it, and want nothing. */
function aHerd(wanting: readonly number[], holders: readonly number[] = [], pieces = PIECES): Herd {
  const herd = new Herd(aTask(1, pieces), DEFAULT_POLICY);
  for (const number of holders) herd.join(aHost(number)).keep(allPieces(herd.task));
  herd.exchange();
  for (const number of wanting) herd.join(aHost(number)).want();
  return herd;
}

const is = (host: SimHost, number: number) => host.info.hostId === hostIdOf(number);
const host = (herd: Herd, number: number): SimHost => {
  const found = herd.hosts.get(hostIdOf(number));
  if (found === undefined) throw new Error(`No host ${number}`);
  return found;
};
const served = (herd: Herd, numbers: readonly number[]) => () =>
  numbers.every((number) => host(herd, number).state === "succeeded");
const readTotal = (herd: Herd) => herd.reads.reduce((sum, count) => sum + count, 0);

describe("a holder that nobody can reach", () => {
  for (const wanting of [[1], [1, 2, 3, 4]]) {
    test(`does not keep ${wanting.length} others from the source, which they read once`, () => {
      const herd = aHerd(wanting, [9]);
      herd.reaches = (_from, to) => !is(to, 9);
      expect(herd.until(served(herd, wanting), 30_000)).toBe(true);
      expect(herd.reads.every((count) => count === 1)).toBe(true);
    });
  }

  test("costs a herd what it alone has: that is read once more", () => {
    const wanting = [1, 2, 3, 4, 5, 6, 7, 8];
    const herd = aHerd(wanting, [], 400);
    herd.reaches = (_from, to) => !is(to, 3);
    const others = wanting.filter((number) => number !== 3);
    expect(herd.until(served(herd, others), 20_000)).toBe(true);
    // Those who are served do not mind that it cannot serve them.
    expect(herd.until(served(herd, [3]), 10_000)).toBe(true);
    const read = herd.swarm.tasks.get(herd.task.taskId)?.peers.get(hostIdOf(3))?.readPieceCount ?? 0;
    expect(read).toBeGreaterThan(0);
    expect(readTotal(herd)).toBeLessThanOrEqual(400 + read);
  });

  test("because it froze is waited for as long as it takes to notice, not until it counts as offline", () => {
    const wanting = [1, 2, 3, 4];
    const herd = aHerd(wanting);
    for (let step = 0; step < 3; step++) herd.step();
    host(herd, 2).frozen = true;
    expect(host(herd, 2).heldCount).toBeGreaterThan(0);
    expect(herd.until(served(herd, [1, 3, 4]), 40_000)).toBe(true);
  });

  test("is refused a child whom the source refuses too", () => {
    const herd = aHerd([1], [9]);
    herd.reaches = (_from, to) => !is(to, 9);
    herd.refused.add(hostIdOf(1));
    expect(herd.until(() => host(herd, 1).state === "failed", 30_000)).toBe(true);
    expect(host(herd, 1).refusedWith).toBe("source-forbidden");
  });

  test("is no reason to wait for ever when the source is silent", () => {
    const herd = aHerd([1, 2], [9], 10);
    herd.reaches = (_from, to) => !is(to, 9);
    herd.sourceDelayMs = Number.POSITIVE_INFINITY;
    const failed = () => [1, 2].every((number) => host(herd, number).state === "failed");
    expect(herd.until(failed, DEFAULT_POLICY.sourceSilentMs + 30_000)).toBe(true);
    expect(host(herd, 1).refusedWith).toBe("source-unreachable");
  });
});

describe("a holder that some can reach", () => {
  test("serves the others through them, and the source is not read", () => {
    const herd = aHerd([1, 2, 3], [9]);
    herd.reaches = (from, to) => !is(to, 9) || is(from, 1);
    expect(herd.until(served(herd, [1, 2, 3]), 60_000)).toBe(true);
    expect(readTotal(herd)).toBe(0);
  });

  test("serves the others through one that is slower than their patience", () => {
    const herd = aHerd([1, 2], [9], 4);
    let open = false;
    herd.reaches = (from, to) => !is(to, 9) || (is(from, 1) && open);
    host(herd, 1).piecesPerStep = 1;
    herd.until(served(herd, [1, 2]), 1);
    for (let round = 0; round < 40 && !served(herd, [1, 2])(); round++) {
      // One piece in 6 s.
      open = true;
      herd.step();
      open = false;
      herd.until(() => false, 5_950);
    }
    expect(served(herd, [1, 2])()).toBe(true);
    expect(readTotal(herd)).toBe(0);
  });

  test("does not keep the source from one that can reach neither it nor them", () => {
    const herd = aHerd([1, 2], [9]);
    herd.reaches = (from, to) => !is(from, 2) && (!is(to, 9) || is(from, 1));
    expect(herd.until(served(herd, [1, 2]), 60_000)).toBe(true);
    expect(readTotal(herd)).toBe(PIECES);
  });

  test("does not keep the source from others however often newcomers might help", () => {
    const herd = aHerd([1, 2], [9]);
    herd.sourceDelayMs = 3_000;
    herd.reaches = (_from, to) => !is(to, 9);
    for (let number = 10; number < 40 && !served(herd, [1, 2])(); number++) {
      herd.until(() => false, 3_000);
      herd.join(aHost(number)).want();
    }
    expect(served(herd, [1, 2])()).toBe(true);
    expect(herd.reads.every((count) => count === 1)).toBe(true);
  });
});

test("two sites without a way between them each read the source once", () => {
  const [east, west] = [
    [1, 2, 3, 4, 5],
    [6, 7, 8, 9, 10],
  ];
  const herd = aHerd([...east, ...west], [11], 200);
  const isEast = (one: SimHost) => east.some((number) => is(one, number)) || is(one, 11);
  herd.reaches = (from, to) => isEast(from) === isEast(to);
  expect(herd.until(served(herd, [...east, ...west]), 60_000)).toBe(true);
  expect(readTotal(herd)).toBe(200);
});

describe("a lease of pieces that others hold", () => {
  const task = aTask(1, 16);
  const fault = { type: "fault", taskId: task.taskId, parentHostId: hostIdOf(1), kind: "refused" } as const;

  function aScene(): Scene {
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.say(1, announceOf(task, { wanting: false, have: allPieces(task) }));
    scene.say(1, progressOf(task, { digests: digestRun(allPieces(task)) }));
    scene.say(2, announceOf(task));
    return scene;
  }

  test("is granted at once when the holder has failed everybody who wants the task", () => {
    const scene = aScene();
    scene.say(2, fault);
    expect(scene.granted(2).length).toBeGreaterThan(0);
  });

  test("is granted once the holder has failed the peer and the peer got nothing for a while, if others may do better", () => {
    const scene = aScene();
    scene.greet([3]);
    scene.say(3, announceOf(task));
    scene.say(2, fault);
    expect(scene.granted(2)).toEqual([]);
    scene.wait(scene.policy.stallMs);
    expect(scene.granted(2).length).toBeGreaterThan(0);
  });

  test("is not granted while the peer said that it gets others without a word", () => {
    const scene = aScene();
    scene.greet([3]);
    scene.say(3, announceOf(task));
    scene.say(2, fault);
    scene.say(2, progressOf(task, { quietMs: 4000 }));
    scene.wait(scene.policy.stallMs + 3999);
    expect(scene.granted(2)).toEqual([]);
    scene.wait(1);
    expect(scene.granted(2).length).toBeGreaterThan(0);
  });

  test("is not granted while a holder within reach has the pieces", () => {
    const scene = aScene();
    scene.greet([3]);
    scene.say(3, announceOf(task, { wanting: false, have: allPieces(task) }));
    scene.say(2, fault);
    scene.wait(scene.policy.avoidMs * 2);
    expect(scene.granted(2)).toEqual([]);
  });

  test("is granted after a while when the holder tells no digest of them, and not while it may still do so", () => {
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.say(1, announceOf(task, { wanting: false, have: allPieces(task) }));
    scene.say(2, announceOf(task));
    scene.wait(scene.policy.stallMs - 1);
    expect(scene.granted(2)).toEqual([]);
    scene.wait(scene.policy.stallMs);
    expect(scene.granted(2).length).toBeGreaterThan(0);
  });

  test("is not granted once the holder began anew elsewhere", () => {
    const scene = aScene();
    scene.greet([3]);
    scene.say(3, announceOf(task));
    scene.say(2, fault);
    scene.greet([1], { address: "http://10.9.9.9:65002" });
    scene.say(1, announceOf(task, { wanting: false, have: allPieces(task) }));
    scene.wait(scene.policy.stallMs * 2);
    expect(scene.granted(2)).toEqual([]);
    expect(scene.peer(task.taskId, 2).neighbours).toContain(scene.peer(task.taskId, 1));
  });

  test("covers the whole stream when the source has no ranges", () => {
    const whole = aTask(2, 16, { ranged: false });
    const scene = new Scene();
    scene.greet([1, 2]);
    scene.say(1, announceOf(whole, { wanting: false, have: [3, 4] }));
    scene.say(2, announceOf(whole, { have: allPieces(whole).filter((piece) => piece !== 3 && piece !== 4) }));
    scene.say(2, { ...fault, taskId: whole.taskId });
    scene.wait(scene.policy.stallMs);
    expect(scene.granted(2)).toEqual([[0, 16]]);
    expect([...scene.peer(whole.taskId, 2).leases].map((lease) => lease.openCount)).toEqual([2]);
  });
});
