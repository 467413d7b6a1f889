import { describe, expect, test } from "bun:test";
import { DEFAULT_POLICY } from "./policy.ts";
import { aHost, allPieces, announceOf, aTask, digestRun, hostIdOf, IDLE_LOAD, progressOf } from "./testing/fixtures.ts";
import { Herd } from "./testing/herd.ts";
import { Scene } from "./testing/scene.ts";
import type { SimHost } from "./testing/sim-host.ts";

const NEVER_MS = Number.POSITIVE_INFINITY;
const { leaseTtlMs, sourceSilentMs, frozenAfterMs, frozenRecheckMs } = DEFAULT_POLICY;

function aHerd(hosts: number, sourceDelayMs: number, pieces = 40): Herd {
  const herd = new Herd(aTask(1, pieces), DEFAULT_POLICY);
  herd.sourceDelayMs = sourceDelayMs;
  for (let number = 1; number <= hosts; number++) herd.join(aHost(number)).want();
  return herd;
}

const all = (herd: Herd, state: SimHost["state"]) => () =>
  [...herd.hosts.values()].every((host) => host.state === state);
const refusals = (herd: Herd) => new Set([...herd.hosts.values()].map((host) => host.refusedWith));

describe("a source", () => {
  for (const hosts of [1, 4]) {
    test(`that needs longer to answer than a lease lives is read all the same, and once, by ${hosts} hosts`, () => {
      const herd = aHerd(hosts, leaseTtlMs + 2_000, 4);
      expect(herd.until(all(herd, "succeeded"), 120_000)).toBe(true);
      expect(herd.reads).toEqual([1, 1, 1, 1]);
    });
  }

  test("that is silent fails its only reader once the reader itself has found out", () => {
    const herd = aHerd(1, NEVER_MS);
    expect(herd.until(all(herd, "failed"), 320_000)).toBe(true);
    expect(refusals(herd)).toEqual(new Set(["source-unreachable"]));
  });

  for (const hosts of [2, 5, 20]) {
    test(`that is silent is refused to each of ${hosts} readers within sourceSilentMs`, () => {
      const herd = aHerd(hosts, NEVER_MS);
      expect(herd.until(all(herd, "failed"), sourceSilentMs + 1_000)).toBe(true);
      expect(refusals(herd)).toEqual(new Set(["source-unreachable"]));
    });
  }

  test("that is silent is refused within sourceSilentMs of its coming to each host of a herd with a seed that grows", () => {
    const herd = new Herd(aTask(1, 40), DEFAULT_POLICY);
    herd.sourceDelayMs = NEVER_MS;
    herd.join(aHost(100, { role: "seed" }));
    herd.exchange();
    for (let number = 1; number <= 6; number++) {
      herd.join(aHost(number)).want();
      herd.until(() => false, 50_000);
    }
    expect(herd.until(all(herd, "failed"), sourceSilentMs + 1_000)).toBe(true);
    expect(refusals(herd)).toEqual(new Set(["source-unreachable"]));
  });

  test("is asked first when the holder that was slow to serve goes, however long that took", () => {
    const scene = new Scene();
    const slow = aTask(1, 64);
    scene.greet([1, 2]);
    scene.say(1, announceOf(slow, { wanting: false, have: allPieces(slow) }));
    scene.say(1, progressOf(slow, { digests: digestRun(allPieces(slow)) }));
    scene.say(2, announceOf(slow));
    for (let passed = 0; passed < sourceSilentMs * 2; passed += 60_000) {
      scene.wait(60_000);
      for (const number of [1, 2]) scene.say(number, { type: "heartbeat", load: IDLE_LOAD });
    }
    scene.say(1, { type: "bye" });
    const heard = scene.heard(2);
    expect(heard.filter((message) => message.type === "refused")).toEqual([]);
    expect(scene.peer(slow.taskId, 2).leases.size).toBe(4);
  });

  test("that is silent for some minutes and then answers again is read", () => {
    const herd = aHerd(5, NEVER_MS);
    herd.until(() => false, 200_000);
    herd.sourceDelayMs = 0;
    expect(herd.until(all(herd, "succeeded"), 20_000)).toBe(true);
    expect(herd.reads.every((count) => count === 1)).toBe(true);
  });
});

describe("a reader that does not answer another host", () => {
  const task = aTask(1, 64);
  const fault = (kind: "unreachable" | "refused") =>
    ({ type: "fault", taskId: task.taskId, parentHostId: hostIdOf(1), kind }) as const;

  /** Host 1 reads, host 2 waits for it. */
  function aScene(): Scene {
    const scene = new Scene({ leaseRunsPerHost: 1, leaseStartBytes: task.sizeBytes, leaseRunBytes: task.sizeBytes });
    scene.greet([1, 2]);
    scene.say(1, announceOf(task));
    scene.say(2, announceOf(task, { wanting: false, have: [63] }));
    scene.say(2, announceOf(task));
    expect(scene.peer(task.taskId, 1).leases.size).toBe(1);
    scene.granted(2);
    return scene;
  }

  test("nor speaks to the shard is frozen: what it was to read goes to others a moment later", () => {
    const scene = aScene();
    scene.wait(frozenAfterMs);
    scene.say(2, fault("unreachable"));
    scene.wait(frozenRecheckMs - 1);
    expect(scene.peer(task.taskId, 1).leases.size).toBe(1);
    scene.wait(1);
    expect(scene.peer(task.taskId, 1).leases.size).toBe(0);
    expect(scene.granted(2).length).toBeGreaterThan(0);
  });

  test("is asked how far it is, and reads on when it answers", () => {
    const scene = aScene();
    const [lease] = scene.peer(task.taskId, 1).leases;
    if (lease === undefined) throw new Error("It reads");
    const { leaseId, firstPiece, pieceCount } = lease;
    scene.wait(frozenAfterMs);
    scene.heard(1);
    scene.say(2, fault("unreachable"));
    expect(scene.told(1, "leases")[0]?.shortened).toEqual([{ leaseId, pieceCount }]);
    scene.say(1, progressOf(task, { leases: [{ leaseId, firstPiece, pieceCount, readBytes: 0 }] }));
    scene.wait(2 * frozenRecheckMs);
    expect(lease.pieceCount).toBe(pieceCount);
    expect(scene.peer(task.taskId, 1).leases.has(lease)).toBe(true);
  });

  test("but speaks to the shard soon had no time of its machine, and reads on", () => {
    const scene = aScene();
    scene.wait(frozenAfterMs);
    scene.say(2, fault("unreachable"));
    scene.wait(frozenRecheckMs - 1);
    scene.say(1, { type: "heartbeat", load: IDLE_LOAD });
    scene.wait(2 * frozenRecheckMs);
    expect(scene.peer(task.taskId, 1).leases.size).toBe(1);
  });

  test("is looked at once more when the scheduler comes late to it: what it said may wait there", () => {
    const scene = aScene();
    scene.wait(frozenAfterMs);
    scene.say(2, fault("unreachable"));
    // Nothing runs for 2 s; then what waited comes.
    scene.nowMs += 2000;
    scene.wait(0);
    expect(scene.peer(task.taskId, 1).leases.size).toBe(1);
    scene.say(1, { type: "heartbeat", load: IDLE_LOAD });
    scene.wait(2 * frozenRecheckMs);
    expect(scene.peer(task.taskId, 1).leases.size).toBe(1);
  });

  test("keeps its leases when it was heard a moment ago, or answered", () => {
    for (const kind of ["unreachable", "refused"] as const) {
      const scene = aScene();
      scene.wait(frozenAfterMs);
      if (kind === "unreachable") scene.say(1, { type: "heartbeat", load: IDLE_LOAD });
      scene.say(2, fault(kind));
      scene.wait(frozenRecheckMs);
      expect(scene.peer(task.taskId, 1).leases.size).toBe(1);
    }
  });
});

describe("a reader that freezes", () => {
  test("costs the others the time of one lease, and gets no other while they are there", () => {
    const herd = aHerd(4, 0, 200);
    herd.exchange();
    const [frozen, ...others] = [...herd.hosts.values()];
    if (frozen === undefined) throw new Error("Nobody joined");
    expect(frozen.reading.size).toBeGreaterThan(0);
    expect(frozen.heldCount).toBe(0);
    frozen.frozen = true;
    const served = () => others.every((host) => host.state === "succeeded");
    expect(herd.until(served, leaseTtlMs + 5_000)).toBe(true);
    expect(herd.reads.every((count) => count === 1)).toBe(true);
  });
});

describe("the time to live of a lease", () => {
  const task = aTask(1, 1024);
  const ttlsOf = (scene: Scene, number: number) =>
    new Set(scene.told(number, "leases").flatMap((message) => message.granted.map((lease) => lease.ttlMs)));

  test("doubles with each expiry in a row, up to leaseTtlMaxMs", () => {
    const scene = new Scene({ hostSilentMs: NEVER_MS });
    scene.greet([1]);
    scene.say(1, announceOf(task));
    const seen: number[] = [];
    for (let round = 0; round < 6; round++) {
      const [ttlMs = 0, ...others] = ttlsOf(scene, 1);
      expect(others).toEqual([]);
      seen.push(ttlMs);
      scene.wait(ttlMs);
    }
    expect(seen).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 160_000]);
  });

  test("is short again when the source gets fast, and as long as needed while it is slow", () => {
    const task = aTask(1, 8192);
    const scene = new Scene({ hostSilentMs: NEVER_MS });
    scene.greet([1]);
    scene.say(1, announceOf(task));
    scene.wait(leaseTtlMs);
    const readOne = () => {
      scene.heard(1);
      const [lease] = scene.peer(task.taskId, 1).leases;
      if (lease === undefined) throw new Error("Nothing is leased");
      const { firstPiece, pieceCount } = lease;
      scene.say(1, progressOf(task, { added: [{ firstPiece, pieceCount }] }));
      return ttlsOf(scene, 1);
    };
    scene.wait(12_000);
    expect(readOne()).toEqual(new Set([20_000]));
    for (let reads = 0; reads < 3; reads++) readOne();
    scene.wait(1_000);
    expect(readOne()).toEqual(new Set([leaseTtlMs]));
  });

  test("is short for a host that begins anew", () => {
    const scene = new Scene();
    scene.greet([1]);
    scene.say(1, announceOf(task));
    scene.wait(leaseTtlMs);
    scene.say(1, announceOf(task, { wanting: false }));
    scene.heard(1);
    scene.say(1, announceOf(task));
    expect(ttlsOf(scene, 1)).toEqual(new Set([leaseTtlMs]));
  });
});
