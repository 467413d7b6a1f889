/** How many pieces a run has. Among several readers runs are short, so that all of them get something to trade; one that
 *  reads alone has long ones, so that requests and waiting for us do not show. */
import { outstandingBytes } from "./lease-book.ts";
import { paceBps } from "./lease-pace.ts";
import type { Peer } from "./peer.ts";
import type { Task } from "./task.ts";
import type { Turn } from "./turn.ts";

/** Pieces of the next run of a peer.
 *  @param openCount pieces that are left to grant */
export function runLength(turn: Turn, reader: Peer, readerCount: number, openCount: number): number {
  const { task } = reader;
  if (!task.info.ranged) return task.pieceCount;
  if (readerCount === 1 && task.reading.size === 0) return longRun(turn, reader, openCount);
  return readerCount === 1
    ? fairRun(turn, reader, 1, openCount)
    : Math.min(fairRun(turn, reader, readerCount, openCount), roomFor(turn, reader));
}

/** Pieces of a run of one host among several, whatever it has outstanding. */
export function fairRun(
  { policy }: Turn,
  { task, readPieceCount }: Peer,
  readerCount: number,
  openCount: number,
): number {
  const runs = readerCount === 1 ? policy.leaseRunsPerHost : policy.leaseRunsOfSeveral;
  const fairPieces = Math.ceil(openCount / (runs * readerCount));
  const startBytes = readerCount === 1 ? policy.leaseStartBytes : policy.leaseFirstBytes;
  const provenBytes = Math.max(startBytes, readPieceCount * task.info.pieceLengthBytes);
  return Math.max(1, Math.min(fairPieces, piecesIn(task, Math.min(policy.leaseRunBytes, provenBytes))));
}

/** Pieces that one host of several may have outstanding besides those it has; at least one. */
export function roomFor({ policy }: Turn, reader: Peer): number {
  return piecesIn(reader.task, policy.leaseBytesPerHost - outstandingBytes(reader));
}

/** Pieces of a run that many pieces ahead of a reader who takes the content in order: the next to come is soon whole, and
 *  what is far ahead comes in long runs. */
export function runAhead({ policy }: Turn, task: Task, aheadPieces: number): number {
  const most = piecesIn(task, policy.leaseRunBytes);
  return Math.min(most, Math.max(piecesIn(task, policy.leaseCursorBytes), aheadPieces));
}

/** At least one piece. */
export function piecesIn({ info }: Task, bytes: number): number {
  return Math.max(1, Math.floor(bytes / info.pieceLengthBytes));
}

/** Its streams end together, or are many times as long as what it read before: who comes a moment later must find
 *  something left, and a stream that is cut off was partly sent in vain. */
function longRun(turn: Turn, reader: Peer, openCount: number): number {
  const { policy } = turn;
  const { task, readPieceCount } = reader;
  const { pieceLengthBytes } = task.info;
  const restCount = openCount + Math.ceil(outstandingBytes(reader) / pieceLengthBytes);
  const evenly = Math.max(piecesIn(task, policy.leaseStartBytes), Math.ceil(restCount / policy.leaseRunsPerHost));
  const pacedBytes = (paceBps(turn, reader) * policy.leaseLongRunMs) / 1000 / policy.leaseRunsPerHost;
  const readBytes = policy.leaseLoneGrowth * readPieceCount * pieceLengthBytes;
  const provenBytes = Math.max(policy.leaseStartBytes, Math.min(readBytes, pacedBytes, policy.leaseLongRunBytes));
  return Math.min(evenly, piecesIn(task, provenBytes));
}
