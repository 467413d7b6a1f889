import { describe, expect, test } from "bun:test";
import { DEFAULT_POLICY } from "./policy.ts";
import { aHost, allPieces, aTask, hostIdOf } from "./testing/fixtures.ts";
import { Herd } from "./testing/herd.ts";

const PIECES = 200;

function aHerd(hosts: number, pieces = PIECES): Herd {
  const herd = new Herd(aTask(1, pieces), DEFAULT_POLICY);
  for (let number = 1; number <= hosts; number++) herd.join(aHost(number)).want();
  return herd;
}

const everybodyHasIt = (herd: Herd) => () => [...herd.hosts.values()].every((host) => host.state === "succeeded");
const readOnce = (herd: Herd) => herd.reads.every((count) => count === 1);

describe("a herd", () => {
  test("of 8 hosts that ask at once reads every piece from the source exactly once", () => {
    const herd = aHerd(8);
    expect(herd.until(everybodyHasIt(herd), 60_000)).toBe(true);
    expect(readOnce(herd)).toBe(true);
  });

  test("shares the reading: everybody gets leases", () => {
    const herd = aHerd(8, 512);
    expect(herd.until(everybodyHasIt(herd), 60_000)).toBe(true);
    const task = herd.swarm.tasks.get(herd.task.taskId);
    const read = [...(task?.peers.values() ?? [])].map((peer) => peer.readPieceCount);
    expect(read.reduce((sum, count) => sum + count, 0)).toBe(512);
    expect(Math.min(...read)).toBeGreaterThan(512 / 8 / 3);
    expect(Math.max(...read)).toBeLessThan((512 / 8) * 2);
  });

  test("lets its seed alone read the source", () => {
    const herd = new Herd(aTask(1, PIECES), DEFAULT_POLICY);
    const seed = herd.join(aHost(100, { role: "seed" }));
    herd.exchange();
    for (let number = 1; number <= 8; number++) herd.join(aHost(number)).want();
    expect(herd.until(everybodyHasIt(herd), 60_000)).toBe(true);
    expect(readOnce(herd)).toBe(true);
    const peers = herd.swarm.tasks.get(herd.task.taskId)?.peers;
    expect(peers?.get(seed.info.hostId)?.readPieceCount).toBe(PIECES);
  });

  test("reads the source itself when its seed is refused there", () => {
    const herd = new Herd(aTask(1, PIECES), DEFAULT_POLICY);
    const seed = herd.join(aHost(100, { role: "seed" }));
    herd.refused.add(seed.info.hostId);
    herd.exchange();
    for (let number = 1; number <= 4; number++) herd.join(aHost(number)).want();
    expect(herd.until(everybodyHasIt(herd), 60_000)).toBe(true);
    expect(readOnce(herd)).toBe(true);
  });

  test("goes on without a lease holder that was killed, and reads again only what died with it", () => {
    const herd = aHerd(8);
    for (let step = 0; step < 3; step++) herd.step();
    const killed = [...herd.hosts.values()].find((host) => host.reading.size > 0 && host.heldCount > 0);
    if (killed === undefined) throw new Error("Nobody reads");
    const others = [...herd.hosts.values()].filter((host) => host !== killed);
    const dead = allPieces(herd.task).filter((piece) => others.every((host) => !has(host.held, piece)));
    herd.kill(killed.info.hostId);
    expect(herd.until(everybodyHasIt(herd), 60_000)).toBe(true);
    for (const piece of allPieces(herd.task)) {
      expect(herd.reads[piece]).toBeLessThanOrEqual(dead.includes(piece) ? 2 : 1);
    }
  });

  test("hears why when the source refuses all of it", () => {
    const herd = aHerd(4);
    for (let number = 1; number <= 4; number++) herd.refused.add(hostIdOf(number));
    const everybodyFailed = () => [...herd.hosts.values()].every((host) => host.state === "failed");
    expect(herd.until(everybodyFailed, 60_000)).toBe(true);
    expect([...herd.hosts.values()].map((host) => host.refusedWith)).toEqual(Array(4).fill("source-forbidden"));
    expect(herd.swarm.tasks.get(herd.task.taskId)?.state).toBe("failed");
  });

  test("of 60 hosts at two sites spreads over a mesh of bounded degree", () => {
    const herd = new Herd(aTask(1, 120), DEFAULT_POLICY);
    for (let number = 1; number <= 60; number++) herd.join(aHost(number, { idc: number <= 30 ? "a" : "b" })).want();
    expect(herd.until(everybodyHasIt(herd), 60_000)).toBe(true);
    expect(readOnce(herd)).toBe(true);
  });

  test("writes at most two rows a peer, and few for the task", () => {
    const herd = aHerd(8);
    herd.until(everybodyHasIt(herd), 60_000);
    const rows = (kind: string) => herd.changes.filter((change) => change.kind === kind).length;
    expect(rows("put-peer")).toBe(16);
    expect(rows("put-host")).toBe(8);
    expect(rows("put-digests")).toBe(1);
    expect(rows("put-task")).toBe(2);
  });
});

function has(bits: Uint8Array, piece: number): boolean {
  return ((bits[piece >> 3] ?? 0) & (1 << (piece & 7))) !== 0;
}
