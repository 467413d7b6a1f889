/** What must hold of a swarm whatever was said to it. Counts everything anew, and says what is wrong. */
import { countPieces, hasPiece } from "../../../schema/bitfield.ts";
import type { Peer } from "../peer.ts";
import type { Policy } from "../policy.ts";
import { mostLeases } from "../readers.ts";
import type { Swarm } from "../swarm.ts";
import type { Task } from "../task.ts";

export function faultsOf(swarm: Swarm, policy: Policy): string[] {
  const faults: string[] = [];
  const expect = (holds: boolean, what: string) => {
    if (!holds) faults.push(what);
  };
  let pieceCount = 0;
  for (const task of swarm.tasks.values()) {
    pieceCount += task.pieceCount;
    checkPieces(task, expect);
    checkLeases(task, policy, expect);
    for (const peer of task.peers.values()) checkPeer(peer, policy, expect);
  }
  expect(pieceCount === swarm.pieceCount, "the swarm counts the pieces of its tasks");
  for (const host of swarm.hosts.values()) {
    expect(host.presence !== "offline" || host.peers.size === 0, "an offline host has no part in anything");
    for (const [taskId, peer] of host.peers) {
      expect(peer.present && swarm.tasks.get(taskId)?.peers.get(host.info.hostId) === peer, "host and task agree");
    }
    const children = [...host.peers.values()].flatMap((peer) =>
      [...peer.neighbours].filter((other) => other.task.running.has(other)),
    );
    expect(host.childCount === children.length, "a host's neighbours that want pieces are counted");
    const isSeed = host.info.role === "seed" && host.presence === "online";
    expect(swarm.seeds.has(host) === isSeed, "seeds are the online hosts of that role");
  }
  return faults;
}

type Expect = (holds: boolean, what: string) => void;

function checkPieces(task: Task, expect: Expect): void {
  const serials = new Set([...task.leases.values()].map((lease) => lease.serial));
  let leasable = 0;
  let unheld = 0;
  for (let piece = 0; piece < task.pieceCount; piece++) {
    const holders = [...task.traders].filter((peer) => hasPiece(peer.bitfield, piece)).length;
    expect(task.pieces.holdersOf(piece) === holders, `piece ${piece} has as many holders as bitfields say`);
    const serial = task.pieces.leaseOf(piece);
    expect(serial === 0 || serials.has(serial), `piece ${piece} is under a lease in force or none`);
    if (holders === 0) unheld++;
    if (holders === 0 && serial === 0) leasable++;
  }
  expect(task.pieces.leasableCount === leasable, "the leasable pieces are counted");
  expect(task.pieces.unheldCount === unheld, "the unheld pieces are counted");
  expect(task.digests.knownCount === countPieces(task.digests.known), "the known digests are counted");
}

function checkLeases(task: Task, policy: Policy, expect: Expect): void {
  expect(task.leases.size <= policy.sourceStreamsPerTask, "the source bears no more streams than it should");
  for (const [leaseId, lease] of task.leases) {
    let open = 0;
    for (let piece = lease.firstPiece; piece < lease.firstPiece + lease.pieceCount; piece++) {
      if (task.pieces.leaseOf(piece) === lease.serial) open++;
    }
    expect(lease.leaseId === leaseId && lease.openCount === open && open > 0, `lease ${leaseId} covers what it counts`);
    expect(lease.peer.leases.has(lease), `lease ${leaseId} is its peer's`);
    expect(task.running.has(lease.peer), `lease ${leaseId} belongs to a peer that wants the task`);
  }
}

function checkPeer(peer: Peer, policy: Policy, expect: Expect): void {
  const { task, host } = peer;
  const name = `peer ${host.info.hostId}`;
  expect(peer.heldCount === countPieces(peer.bitfield), `${name} holds as many pieces as its bitfield has`);
  expect(peer.present || peer.heldCount === 0, `${name} holds nothing while it is away`);
  expect(!peer.present || host.presence !== "offline", `${name} is not present while its host is offline`);
  expect(!peer.present || host.peers.get(task.info.taskId) === peer, `${name} is known to its host`);
  expect(task.running.has(peer) === (peer.present && peer.state === "running"), `${name} runs when it says so`);
  const trades = task.traders.has(peer);
  // A ban ends at the next tick after its time, or when the host announces again: both are right.
  expect(trades === peer.present || (!trades && host.bannedUntilMs !== null), `${name} trades unless it is banned`);
  expect((task.tradersByIdc.get(peer.idc)?.has(peer) ?? false) === trades, `${name} trades in its idc`);
  expect(task.reading.has(peer) === peer.cursors.length > 0, `${name} is known to have readers when it has`);
  expect(peer.cursors.length === 0 || peer.state === "running", `${name} has readers only while it wants the task`);
  expect(peer.leases.size <= mostLeases(policy), `${name} reads no more runs than it may`);
  for (const lease of peer.leases) expect(task.leases.get(lease.leaseId) === lease, `${name} has leases in force`);
  expect(peer.neighbours.size <= policy.maxNeighbours, `${name} has no more neighbours than it should`);
  expect(!peer.neighbours.has(peer), `${name} is not its own neighbour`);
  for (const other of peer.neighbours) {
    expect(other.present && peer.present && other.neighbours.has(peer), `${name} and its neighbours know each other`);
  }
}
