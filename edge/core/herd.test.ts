import { describe, expect, test } from "bun:test";
import { hasPiece, piecesOf } from "../../schema/bitfield.ts";
import { DEFAULT_POLICY } from "./policy.ts";
import { aHost, allPieces, aTask, hostIdOf, seededRandom } from "./testing/fixtures.ts";
import { Herd } from "./testing/herd.ts";
import type { SimHost } from "./testing/sim-host.ts";

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
    const dead = allPieces(herd.task).filter((piece) => others.every((host) => !hasPiece(host.held, piece)));
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

  test("writes one row for all its peers, and few for the task", () => {
    const herd = aHerd(8);
    herd.until(everybodyHasIt(herd), 60_000);
    const rows = (kind: string) => herd.changes.filter((change) => change.kind === kind).length;
    expect(rows("put-peers")).toBe(1);
    expect(rows("put-host")).toBe(8);
    expect(rows("put-digests")).toBe(1);
    expect(rows("put-task")).toBe(2);
  });
});

test("however hosts die, come back and reconnect, whoever is left gets the whole task", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const herd = churned(seed);
    const settled = () => [...herd.hosts.values()].every((host) => host.heldCount === host.pieceCount || !wants(host));
    expect({ seed, settled: herd.until(settled, 300_000) }).toEqual({ seed, settled: true });
    expect([...herd.hosts.values()].filter((host) => host.state === "failed")).toEqual([]);
    // 12 of at most 16 hosts die, each with what it alone had.
    expect(herd.reads.reduce((sum, count) => sum + count, 0)).toBeLessThan(2 * herd.reads.length);
  }
});

/** A herd with up to two seeds, a narrow mesh, and 12 deaths while it downloads. */
function churned(seed: number): Herd {
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const task = aTask(1, 60 + below(200), { ranged: random() > 0.15 });
  const herd = new Herd(task, { ...DEFAULT_POLICY, maxNeighbours: 2 + below(6) }, seed);
  for (let number = below(3); number > 0; number--) herd.join(aHost(100 + number, { role: "seed" }));
  herd.exchange();
  for (let number = 2 + below(14); number > 0; number--) herd.join(aHost(number, { idc: `site-${number % 2}` })).want();
  const dead: SimHost[] = [];
  for (let deaths = 0, life = 2_000; deaths < 12; ) {
    herd.step();
    const anybody = [...herd.hosts.values()][below(herd.hosts.size)];
    if (anybody !== undefined && herd.hosts.size > 1 && random() < 0.05) {
      herd.kill(anybody.info.hostId);
      dead.push(anybody);
      deaths++;
    }
    if (random() < 0.02) anybody?.connect();
    const back = random() < 0.05 ? dead.shift() : undefined;
    if (back === undefined) continue;
    const again = herd.join({ ...back.info, startedAtMs: life++ });
    again.keep(piecesOf(back.held, back.pieceCount));
    if (back.info.role !== "seed") again.want();
  }
  return herd;
}

function wants(host: SimHost): boolean {
  return host.state === "running";
}
