/** Why the source of a task is read by whom, and by whom not: the view of `readers.ts`, with names. Decides nothing. */
import type { ReaderStanding, TaskExplanation } from "../../schema/wire/explain.ts";
import { streamsOf } from "./grant.ts";
import { isBanned } from "./host.ts";
import type { Lease, Peer } from "./peer.ts";
import type { Policy } from "./policy.ts";
import { livelyOf, mayRead } from "./readers.ts";
import { waitsForSeed } from "./seeds.ts";
import { swiftOf } from "./slow-hosts.ts";
import { isBudgetSpent } from "./source-budget.ts";
import { isSourceFull, recentSourceBps } from "./source-flow.ts";
import type { Swarm } from "./swarm.ts";
import type { Task } from "./task.ts";
import { beginTurn, type Turn } from "./turn.ts";

/** What holds for the whole task while its peers are looked at. */
interface Outlook {
  readonly turn: Turn;
  readonly lively: ReadonlySet<Peer>;
  /** Who may read once it is its turn. */
  readonly readers: ReadonlySet<Peer>;
  readonly hasSeeds: boolean;
  /** Those whose line is not slow, where that matters. */
  readonly swift: ReadonlySet<Peer>;
}

export function explainTask(swarm: Swarm, task: Task, policy: Policy, nowMs: number): TaskExplanation {
  // Nothing is drawn, said or written in it.
  const turn = beginTurn(swarm, policy, nowMs, () => 0);
  const { leases, running, pieces, flow, sourceProblem } = task;
  const outlook = outlookOf(turn, task);
  return {
    leases: [...leases.values()].sort((a, b) => a.firstPiece - b.firstPiece).map((lease) => explainLease(lease, nowMs)),
    readers: [...running]
      .map((peer) => ({ hostId: peer.host.info.hostId, ...standingOf(outlook, peer), cutOff: peer.cutOff }))
      .sort((a, b) => (a.hostId < b.hostId ? -1 : 1)),
    streams: { used: leases.size, allowed: streamsOf(turn, task) },
    source: {
      recentBytesPerSecond: Math.round(recentSourceBps(flow, policy, nowMs)),
      peakBytesPerSecond: Math.round(flow.peakBps),
      full: isSourceFull(flow, outlook.readers.size, policy),
      problem: sourceProblem ?? null,
    },
    unheldPieceCount: pieces.unheldCount,
    leasablePieceCount: pieces.leasableCount,
  };
}

function explainLease(lease: Lease, nowMs: number): TaskExplanation["leases"][number] {
  const { leaseId, peer, firstPiece, pieceCount, readBytes, grantedAtMs, aliveAtMs, ttlMs, askedShorter } = lease;
  const readMs = aliveAtMs - grantedAtMs;
  return {
    leaseId,
    hostId: peer.host.info.hostId,
    firstPiece,
    pieceCount,
    readBytes,
    bytesPerSecond: readMs > 0 ? Math.round((1000 * readBytes) / readMs) : 0,
    ageMs: nowMs - grantedAtMs,
    quietMs: nowMs - aliveAtMs,
    leftMs: Math.max(0, aliveAtMs + ttlMs - nowMs),
    shortening: askedShorter,
  };
}

function outlookOf(turn: Turn, task: Task): Outlook {
  const able = [...task.running].filter((peer) => mayRead(turn, peer));
  const lively = livelyOf(turn, able);
  const seeds = lively.filter((peer) => peer.host.info.role === "seed");
  const areSeedsFirst = seeds.length > 0 && task.seedHelp !== "given";
  const readers = areSeedsFirst ? seeds : seeds.length === 0 && waitsForSeed(turn, task) ? [] : lively;
  const swift = seeds.length > 0 ? readers : swiftOf(turn, readers);
  return {
    turn,
    lively: new Set(lively),
    readers: new Set(readers),
    hasSeeds: seeds.length > 0,
    swift: new Set(swift),
  };
}

function standingOf(
  { turn, lively, readers, hasSeeds, swift }: Outlook,
  peer: Peer,
): { standing: ReaderStanding; restMs: number } {
  const { task, host } = peer;
  const { nowMs, policy } = turn;
  const since = (standing: ReaderStanding, untilMs = nowMs) => ({
    standing,
    restMs: Number.isFinite(untilMs) ? Math.max(0, untilMs - nowMs) : 0,
  });
  if (host.presence !== "online") return since("away", host.awayUntilMs);
  if (!peer.stated) return since("unstated", host.restateByMs);
  if (isBanned(host, nowMs)) return since("banned", host.bannedUntilMs ?? nowMs);
  if (peer.leases.size > 0) return since("reads");
  if (nowMs < peer.leaseBackoffUntilMs) {
    return since(peer.sourceFailed ? "source-failed" : "backs-off", peer.leaseBackoffUntilMs);
  }
  if (task.recovery !== undefined) return since("recovering", task.recovery.untilMs);
  if (task.pieces.unheldCount === 0) return since("all-held");
  if (!lively.has(peer)) {
    const isSilent = host.lastSeenAtMs <= peer.expiredAtMs;
    return since(isSilent ? "frozen" : "expired", peer.expiredAtMs + policy.leaseTtlMs);
  }
  if (!readers.has(peer)) return hasSeeds ? since("seed-first") : since("awaits-seed", task.seedGraceUntilMs);
  if (!swift.has(peer)) return since("slow");
  if (task.pieces.leasableCount === 0) return since("all-leased");
  if (isBudgetSpent(task, nowMs)) return since("budget-spent", task.sourceBudget.paidUntilMs);
  return since(task.leases.size >= streamsOf(turn, task) ? "no-streams-left" : "next");
}
