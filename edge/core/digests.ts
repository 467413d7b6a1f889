/** The list of piece digests of a task: who may add to it, and who hears of it. docs/protocol.md, "Digests". */
import { hasPiece } from "../../schema/bitfield.ts";
import { PIECE_DIGEST_BYTES } from "../../schema/digest.ts";
import { MAX_DIGESTS_PER_MESSAGE, MAX_RUNS_PER_MESSAGE } from "../../schema/wire/peer-message.ts";
import type { DigestRun } from "../../schema/wire/task.ts";
import { leaseOver } from "./lease-book.ts";
import type { Peer } from "./peer.ts";
import type { Task } from "./task.ts";
import { type CoreMessage, send, type Turn, wakeBy } from "./turn.ts";

/** Takes digests of pieces that this peer reads under a lease, or holds. The first digest of a piece stays.
 *  @returns the piece for which it holds other bytes than the task has, or `undefined` */
export function acceptDigests(peer: Peer, runs: readonly DigestRun[]): number | undefined {
  const { task } = peer;
  const knewAll = peer.digestsSent === task.digests.logLength;
  for (const { firstPiece, digests } of runs) {
    for (let at = 0; at < digests.length; at += PIECE_DIGEST_BYTES) {
      const piece = firstPiece + at / PIECE_DIGEST_BYTES;
      if (piece >= task.pieceCount || !maySpeakFor(peer, piece)) continue;
      const outcome = task.digests.add(piece, digests.subarray(at, at + PIECE_DIGEST_BYTES));
      if (outcome === "different") return piece;
    }
  }
  // What it told us it need not hear.
  if (knewAll) peer.digestsSent = task.digests.logLength;
  return undefined;
}

/** Whether the list lacks a piece this peer holds. */
export function lacksDigestsOf(peer: Peer): boolean {
  const { known } = peer.task.digests;
  return peer.task.traders.has(peer) && peer.bitfield.some((byte, at) => (byte & ~(known[at] ?? 0)) !== 0);
}

/** A peer that announces itself hears the whole list. */
export function tellAllDigests(turn: Turn, peer: Peer): void {
  const { digests, info } = peer.task;
  peer.hearsDigests = true;
  peer.digestsSent = digests.logLength;
  for (const message of digestMessages(info.taskId, digests.runs(MAX_DIGESTS_PER_MESSAGE)))
    send(turn, peer.host, message);
}

/** Sends what is new to those who want the task: at once to a few, gathered for a moment to many. */
export function relayDigests(turn: Turn, task: Task): void {
  const { logLength } = task.digests;
  if (task.relayedCount === logLength) return;
  const { relayAtOncePeers, relayMsPerPeer, relayIntervalMs } = turn.policy;
  if (task.running.size > relayAtOncePeers) {
    task.relayAtMs ??= turn.nowMs + Math.min(relayIntervalMs, relayMsPerPeer * task.running.size);
    if (turn.nowMs < task.relayAtMs) {
      wakeBy(turn, task.relayAtMs);
      return;
    }
  }
  task.relayAtMs = undefined;
  task.relayedCount = logLength;
  // Peers that heard the same before hear the same now: one list of messages serves them all.
  const messages = new Map<number, CoreMessage[]>();
  for (const peer of task.running) {
    const from = peer.digestsSent;
    peer.digestsSent = logLength;
    if (from === logLength) continue;
    let news = messages.get(from);
    if (news === undefined) {
      news = digestMessages(task.info.taskId, task.digests.runsSince(from, MAX_DIGESTS_PER_MESSAGE));
      messages.set(from, news);
    }
    for (const message of news) send(turn, peer.host, message);
  }
}

/** Writes chunks of which every digest is known; all that changed once the task runs no more. */
export function flushDigests(turn: Turn, task: Task): void {
  for (const chunk of task.digests.takeDirty(task.running.size > 0))
    turn.changes.push({ kind: "put-digests", chunk: { taskId: task.info.taskId, ...chunk } });
}

/** Nobody can bring in digests of pieces that are not its own business. */
function maySpeakFor(peer: Peer, piece: number): boolean {
  return leaseOver(peer, piece) !== undefined || (peer.task.traders.has(peer) && hasPiece(peer.bitfield, piece));
}

function digestMessages(taskId: Task["info"]["taskId"], runs: readonly DigestRun[]): CoreMessage[] {
  const messages: CoreMessage[] = [];
  let batch: DigestRun[] = [];
  let batchBytes = 0;
  for (const run of runs) {
    const full = batchBytes + run.digests.length > MAX_DIGESTS_PER_MESSAGE * PIECE_DIGEST_BYTES;
    if (full || batch.length === MAX_RUNS_PER_MESSAGE) {
      messages.push({ type: "digests", taskId, runs: batch });
      batch = [];
      batchBytes = 0;
    }
    batch.push(run);
    batchBytes += run.digests.length;
  }
  if (batch.length > 0) messages.push({ type: "digests", taskId, runs: batch });
  return messages;
}
