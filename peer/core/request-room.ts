/** How many requests may begin now. */
import { countPieces } from "../../schema/bitfield.ts";
import type { TransferPolicy } from "./policy.ts";
import type { TransferView } from "./transfer-view.ts";

/** @param beyond so many more than slots and credits of the task allow */
export function freeRequests(view: TransferView, policy: TransferPolicy, beyond = 0): number {
  let active = 0;
  for (const flight of view.inFlight.values()) active += flight.parents.length;
  // At least one request is allowed whatever the piece length, or a task of huge pieces could never start.
  const byBytes = Math.max(1, Math.floor(policy.outstandingBytes / view.pieceLengthBytes));
  return Math.min(view.spareRequests, Math.min(policy.requestsPerTask, byBytes) + beyond - active);
}

/** Requests that may begin now as far as our own line is known to bear them: few at first, and fewer where many are late. On a
 *  line of 4 Mbit/s twelve pieces at a time come after six seconds, all together, and nobody can be passed anything before. */
export function paceRoom(
  { held, inFlight, leaseCount }: TransferView,
  { requestsPerTask, requestsAtFirst }: TransferPolicy,
  late: number,
): number {
  const most = Math.max(requestsAtFirst, requestsPerTask - late);
  return Math.min(requestsAtFirst + countPieces(held), most) - inFlight.size - leaseCount;
}

/** Requests that one parent gets: few where there are many parents. Where everybody asks the same few hosts for the same
 *  few pieces, each of those comes late, and then everybody has the same. */
export function mostPerParent(
  { parents }: TransferView,
  { requestsPerTask, requestsPerParent }: TransferPolicy,
): number {
  return Math.min(requestsPerParent, Math.ceil(requestsPerTask / Math.max(1, parents.length)));
}

/** Second requests that may begin where all is late, also beyond the slots. */
export function hedgeRoom(view: TransferView, policy: TransferPolicy): number {
  return Math.min(policy.hedgeRequests, freeRequests(view, policy, policy.hedgeRequests));
}
