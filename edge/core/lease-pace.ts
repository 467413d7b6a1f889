/** How far a lease is, and how fast it moves. */
import { pieceRange } from "../../schema/piece.ts";
import type { Lease, Peer } from "./peer.ts";
import type { Policy } from "./policy.ts";
import type { Turn } from "./turn.ts";

/** Bytes still to come under it, as far as was reported. */
export function unreadBytes({ peer, firstPiece, pieceCount, openCount, readBytes }: Lease): number {
  const { sizeBytes, pieceLengthBytes } = peer.task.info;
  const { start } = pieceRange(firstPiece, sizeBytes, pieceLengthBytes);
  const { end } = pieceRange(firstPiece + pieceCount - 1, sizeBytes, pieceLengthBytes);
  return Math.max(0, Math.min(openCount * pieceLengthBytes, end - start - readBytes));
}

/** The piece that is being read, as far as was reported. */
export function pieceUnderWay({ peer, firstPiece, pieceCount, readBytes }: Lease): number {
  return firstPiece + Math.min(pieceCount - 1, Math.floor(readBytes / peer.task.info.pieceLengthBytes));
}

/** How long so many bytes take under this lease; infinite while nothing was read under it. */
export function readingMs(lease: Lease, bytes: number, { progressIntervalMs }: Policy): number {
  // The first report of a lease may come a moment after its grant.
  const tookMs = Math.max(progressIntervalMs, lease.aliveAtMs - lease.grantedAtMs);
  return lease.readBytes === 0 ? Number.POSITIVE_INFINITY : (bytes * tookMs) / lease.readBytes;
}

/** It ends before the next one could begin, unless that is granted now. It is taken to have gone on as it did since it was
 *  reported last, which may be a while ago. */
export function isNearlyRead({ policy, nowMs }: Turn, lease: Lease): boolean {
  const sinceMs = Math.min(nowMs - lease.aliveAtMs, policy.frozenAfterMs);
  return readingMs(lease, unreadBytes(lease), policy) - sinceMs <= policy.leaseAheadMs;
}

/** What a peer reads from the source in a second, on average since it began. */
export function paceBps({ nowMs }: Turn, { task, readPieceCount, beganAtMs }: Peer): number {
  return (readPieceCount * task.info.pieceLengthBytes * 1000) / Math.max(1, nowMs - beganAtMs);
}
