/** Who reads what from the source next: docs/protocol.md, "Leases". */

import { askForNeeds, grantNeeds, needsOf, placeAhead } from "./cursors.ts";
import { isEndGameDue, takeLate } from "./end-game.ts";
import { grant, streamsOf } from "./grant.ts";
import { nextReader, readersOf } from "./readers.ts";
import { runLength } from "./run-length.ts";
import { hasLongLease, shareLeases } from "./share-leases.ts";
import { takeFromSlowHosts } from "./slow-hosts.ts";
import { budgetPieces, isBudgetSpent } from "./source-budget.ts";
import type { Task } from "./task.ts";
import type { Turn } from "./turn.ts";

/** Grants runs of pieces that nobody holds or reads, until readers or streams run out. When there are no such pieces,
 *  those who have much to read are asked for a part of it. */
export function grantLeases(turn: Turn, task: Task): void {
  if (task.pieces.unheldCount === 0 || task.recovery !== undefined) return;
  takeFromSlowHosts(turn, task);
  const streams = streamsOf(turn, task);
  if (task.leases.size >= streams || isBudgetSpent(task, turn.nowMs)) return;
  const needs = needsOf(turn, task);
  const isEnd = task.pieces.leasableCount === 0;
  if (isEnd && needs.length === 0 && !hasLongLease(turn, task) && !isEndGameDue(turn, task)) return;
  let readers = readersOf(turn, task);
  const able = new Set(needs.length > 0 ? readers : []);
  grantNeeds(turn, task, needs, able);
  askForNeeds(turn, task, needs, able);
  if (readers.length > 1) shareLeases(turn, task, readers);
  const mostPieces = budgetPieces(task, turn.policy);
  while (task.leases.size < streams && !isBudgetSpent(task, turn.nowMs)) {
    const reader = nextReader(readers, turn);
    if (reader === undefined) return;
    const place = placeAhead(turn, task, needs, reader, able);
    const pieces = runLength(turn, reader, readers.length, task.pieces.leasableCount);
    const run = task.pieces.nextRun(Math.min(pieces, mostPieces, place?.mostPieces ?? pieces), place?.firstPiece);
    if (run === undefined) {
      shareLeases(turn, task, readers);
      readers = takeLate(turn, task, readers);
      if (readers.length === 0) return;
      continue;
    }
    grant(turn, reader, run, (piece) => task.pieces.isLeasable(piece));
  }
}
