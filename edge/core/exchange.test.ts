import { describe, expect, test } from "bun:test";
import type { HostId } from "../../schema/ids.ts";
import type { Peer } from "./peer.ts";
import { announceOf, aTask, hostIdOf, progressOf } from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

const PIECES = 64;
const task = aTask(1, PIECES);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

/** So many hosts, in turn at so many sites, each with a piece of its own. */
function aHerd(count: number, sites = 1, seed = 1): Scene {
  // Nobody gets anything here, and nobody is to be helped for it.
  const scene = new Scene({ stallMs: 1_000_000 }, seed);
  for (const number of upTo(count)) {
    scene.greet([number], { idc: `site-${number % sites}` });
    scene.say(number, announceOf(task, { have: [number % PIECES] }));
  }
  return scene;
}

function idsOf(peer: Peer): HostId[] {
  return [...peer.neighbours].map(({ host }) => host.info.hostId);
}

function exchange(scene: Scene, number: number, spared: readonly HostId[]): void {
  scene.say(number, progressOf(task, { exchange: [...spared] }));
}

/** How many neighbours each has, and how many of its own site. */
function degrees(scene: Scene): [number, number][] {
  return [...scene.task(task.taskId).peers.values()].map((peer) => [
    peer.neighbours.size,
    [...peer.neighbours].filter(({ idc }) => idc === peer.idc).length,
  ]);
}

describe("neighbours that a peer names in a report", () => {
  test("are exchanged for others, both ways: everybody has as many as before, and as many of its own site", () => {
    for (let seed = 1; seed <= 4; seed++) {
      const scene = aHerd(90, 3, seed);
      const before = degrees(scene);
      const isFull = (one: Peer) => one.neighbours.size === scene.policy.maxNeighbours;
      const peers = [...scene.task(task.taskId).peers.values()];
      const peer =
        peers.find((one) => isFull(one) && [...one.neighbours].filter(isFull).length > 2) ?? expect.unreachable();
      const number = Number.parseInt(peer.host.info.hostId, 16);
      const spared = [...peer.neighbours]
        .filter(isFull)
        .slice(0, 2)
        .map(({ host }) => host.info.hostId);
      const kept = idsOf(peer).filter((hostId) => !spared.includes(hostId));
      for (const other of upTo(90)) scene.heard(other);
      exchange(scene, number, spared);
      const now = idsOf(peer);
      expect(now).toEqual(expect.arrayContaining(kept));
      expect(spared.some((hostId) => now.includes(hostId))).toBe(false);
      expect(degrees(scene)).toEqual(before);
      const told = scene.told(number, "neighbours");
      expect(new Set(told.flatMap(({ remove }) => remove))).toEqual(new Set(spared));
      expect(new Set([...kept, ...told.flatMap(({ add }) => add.map(({ hostId }) => hostId))])).toEqual(new Set(now));
      // One message to each of those whom it concerns: two that part, two that come, two that those give.
      const messages = upTo(90).reduce((sum, other) => sum + scene.told(other, "neighbours").length, told.length);
      expect(messages).toBeLessThanOrEqual(7);
    }
  });

  test("stay where there is nobody else, and so do seeds, strangers, and all of who names them too often", () => {
    const small = aHerd(12);
    exchange(small, 1, [hostIdOf(2)]);
    expect(small.peer(task.taskId, 1).neighbours.size).toBe(11);

    const scene = aHerd(60);
    scene.greet([99], { role: "seed" });
    scene.say(99, announceOf(task));
    const peer = scene.peer(task.taskId, 1);
    const strangers = upTo(60)
      .map(hostIdOf)
      .filter((hostId) => !idsOf(peer).includes(hostId) && hostId !== hostIdOf(1));
    const caller = [...scene.peer(task.taskId, 99).neighbours][0] ?? expect.unreachable();
    const callerNumber = Number.parseInt(caller.host.info.hostId, 16);
    exchange(scene, callerNumber, [hostIdOf(99), strangers[0] ?? expect.unreachable()]);
    expect(caller.neighbours.has(scene.peer(task.taskId, 99))).toBe(true);

    const [first, second] = idsOf(peer);
    scene.wait(scene.policy.exchangePauseMs);
    exchange(scene, 1, [first ?? expect.unreachable()]);
    const before = idsOf(peer);
    scene.wait(scene.policy.exchangePauseMs - 1);
    exchange(scene, 1, [second ?? expect.unreachable()]);
    expect(idsOf(peer)).toEqual(before);
    scene.wait(1);
    exchange(scene, 1, [second ?? expect.unreachable()]);
    expect(idsOf(peer)).not.toContain(second);
  });

  test("are exchanged only for hosts that have something for the peer", () => {
    const scene = aHerd(60);
    const peer = scene.peer(task.taskId, 1);
    const holders = upTo(60).slice(40);
    for (const number of upTo(60).slice(1, 40))
      scene.say(number, progressOf(task, { removed: [{ firstPiece: number % PIECES, pieceCount: 1 }] }));
    const spared = idsOf(peer).slice(0, 4);
    exchange(scene, 1, spared);
    const fresh = idsOf(peer)
      .slice(-4)
      .filter((hostId) => !spared.includes(hostId));
    for (const other of peer.neighbours)
      if (fresh.includes(other.host.info.hostId)) expect(holders.map(hostIdOf)).toContain(other.host.info.hostId);
  });
});
