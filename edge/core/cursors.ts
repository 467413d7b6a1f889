/** Readers who take the content in order: what they wait for is read first, by their own host or, where it may not read,
 *  by those who may. */
import { hasPiece } from "../../schema/bitfield.ts";
import { MAX_CURSORS } from "../../schema/wire/peer-message.ts";
import { askShorter, grant, streamsOf } from "./grant.ts";
import { leaseAt } from "./lease-book.ts";
import { pieceUnderWay, readingMs } from "./lease-pace.ts";
import type { Peer } from "./peer.ts";
import { freeStreams } from "./readers.ts";
import { piecesIn, runAhead } from "./run-length.ts";
import { isBudgetSpent } from "./source-budget.ts";
import type { Task } from "./task.ts";
import type { Turn } from "./turn.ts";

/** What a reader waits for next. */
export interface Need {
  readonly peer: Peer;
  /** The first piece from its cursor on that its host lacks. */
  readonly piece: number;
}

/** Remembers where the readers of a peer are. */
export function noteCursors(peer: Peer, cursors: readonly number[]): void {
  const { task } = peer;
  peer.cursors = [...new Set(cursors)].filter((piece) => piece < task.pieceCount).slice(0, MAX_CURSORS);
  if (peer.cursors.length > 0) task.reading.add(peer);
  else task.reading.delete(peer);
}

export function needsOf(turn: Turn, task: Task): Need[] {
  return task.reading.sample(turn.policy.cursorSample, turn.random).flatMap((peer) =>
    peer.cursors.flatMap((cursor) => {
      let piece = cursor;
      while (piece < task.pieceCount && hasPiece(peer.bitfield, piece)) piece++;
      return piece < task.pieceCount ? { peer, piece } : [];
    }),
  );
}

/** Grants short runs where readers wait for pieces that nobody holds or reads, beyond the streams their hosts have: what is
 *  far ahead of one reader must not keep another waiting. */
export function grantNeeds(turn: Turn, task: Task, needs: readonly Need[], readers: ReadonlySet<Peer>): void {
  for (const need of needs) {
    if (task.leases.size >= streamsOf(turn, task) || isBudgetSpent(task, turn.nowMs)) return;
    if (!task.pieces.isLeasable(need.piece)) continue;
    const reader = readerFor(turn, need, readers);
    const run = task.pieces.nextRun(piecesIn(task, turn.policy.leaseCursorBytes), need.piece);
    if (reader !== undefined && run !== undefined) grant(turn, reader, run, (piece) => task.pieces.isLeasable(piece));
  }
}

/** Has leases end where readers wait for pieces that they would come to much later, if there is somebody to read those. */
export function askForNeeds(turn: Turn, task: Task, needs: readonly Need[], readers: ReadonlySet<Peer>): void {
  const { policy } = turn;
  for (const need of needs) {
    const { piece } = need;
    const lease = task.pieces.holdersOf(piece) === 0 ? leaseAt(task, piece) : undefined;
    if (lease === undefined || readerFor(turn, need, readers) === undefined) continue;
    const aheadPieces = piece - pieceUnderWay(lease);
    if (aheadPieces < 2 || aheadPieces <= piecesIn(task, policy.leaseStartBytes)) continue;
    // It comes before another stream would.
    if (readingMs(lease, aheadPieces * task.info.pieceLengthBytes, policy) <= policy.leaseAheadMs) continue;
    askShorter(turn, lease, piece - lease.firstPiece);
  }
}

/** Where the next run of this host should begin for the sake of readers, and how long it may be: the reader with the least
 *  on its way comes first. `undefined` when it reads for nobody who takes the content in order. */
export function placeAhead(
  turn: Turn,
  task: Task,
  needs: readonly Need[],
  reader: Peer,
  readers: ReadonlySet<Peer>,
): { readonly firstPiece: number; readonly mostPieces: number } | undefined {
  const own = needs.filter(({ peer }) => peer === reader);
  const served = own.length > 0 ? own : needs.filter(({ peer }) => !readers.has(peer));
  let best: { readonly firstPiece: number; readonly aheadPieces: number } | undefined;
  for (const { piece } of served) {
    const found = task.pieces.nextRun(1, piece);
    if (found === undefined) continue;
    const aheadPieces = found.firstPiece - piece;
    if (best === undefined || aheadPieces < best.aheadPieces) best = { firstPiece: found.firstPiece, aheadPieces };
  }
  if (best === undefined) return undefined;
  const { firstPiece, aheadPieces } = best;
  // A run that went over the place of another reader would have to be cut there.
  const next = Math.min(...served.flatMap(({ piece }) => (piece > firstPiece ? [piece] : [])));
  return { firstPiece, mostPieces: Math.min(runAhead(turn, task, aheadPieces), next - firstPiece) };
}

/** Who would read what is needed, beyond the streams it has; `undefined` when those who could read too much already. */
function readerFor(turn: Turn, { peer }: Need, readers: ReadonlySet<Peer>): Peer | undefined {
  const reader = readers.has(peer) ? peer : leastBusy(readers);
  if (reader === undefined) return undefined;
  const free = freeStreams(turn, reader, readers.size) + turn.policy.leaseCursorRuns;
  return free > 0 ? reader : undefined;
}

function leastBusy(readers: ReadonlySet<Peer>): Peer | undefined {
  let least: Peer | undefined;
  for (const reader of readers) if (least === undefined || reader.leases.size < least.leases.size) least = reader;
  return least;
}
