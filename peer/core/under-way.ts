/** How many of the pieces this host gave to children have not come yet, as those say it: a system takes a piece from us long before
 *  it has sent it, and only the child knows when it has it all. */
import type { HostId } from "../../schema/ids.ts";
import { keepLatest } from "./keep-latest.ts";
import type { UploadPolicy } from "./policy.ts";

interface Child {
  /** What was granted and had not come when it said so last, oldest first: a connection brings one after the other. */
  readonly grants: { readonly bytes: number; readonly atMs: number }[];
  grantedBytes: number;
  heardAtMs: number;
  /** What came from us since then is its pace once it is over. */
  measuredFromMs: number;
  measuredBytes: number;
  /** Bytes a millisecond: what it gets while something is on its way, or no more than the least of that. */
  pace: number;
  isPaceLeast: boolean;
}

export class UnderWay {
  readonly #policy: UploadPolicy;
  /** The latest to be heard last. */
  readonly #children = new Map<HostId, Child>();

  constructor(policy: UploadPolicy) {
    this.#policy = policy;
  }

  /** A child says how much of what it asked before has not come. Whether it says the truth is for the caller: one that says less is
   *  counted for less, one that says more for `longestUploadMs` at most. */
  heard(childId: HostId, outstandingBytes: number, nowMs: number): void {
    const child = this.#children.get(childId) ?? newChild(nowMs);
    keepLatest(this.#children, childId, child, this.#policy.countedChildren);
    if (child.grantedBytes === 0) child.measuredFromMs = nowMs;
    child.measuredBytes += this.#takeCome(child, outstandingBytes, nowMs);
    this.#measure(child, nowMs);
    child.heardAtMs = nowMs;
  }

  /** The child was given what it asked when it was heard. */
  granted(childId: HostId, bytes: number, nowMs: number): void {
    const child = this.#children.get(childId);
    if (child === undefined) return;
    child.grants.push({ bytes, atMs: nowMs });
    child.grantedBytes += bytes;
  }

  /** Pieces on their way to all children: since each was heard it got what it gets. */
  count(nowMs: number): number {
    let count = 0;
    for (const child of this.#children.values()) count += this.#countOf(child, nowMs);
    return count;
  }

  #countOf({ grants, grantedBytes, heardAtMs, pace, isPaceLeast }: Child, nowMs: number): number {
    if (grants.length === 0) return 0;
    const { guessedUploadMs, longestUploadMs } = this.#policy;
    const guess = isPaceLeast ? grantedBytes / guessedUploadMs : 0;
    let cameBytes = (nowMs - heardAtMs) * Math.max(pace, guess);
    let count = 0;
    for (const { bytes, atMs } of grants) {
      cameBytes -= bytes;
      if (cameBytes < 0 && nowMs - atMs < longestUploadMs) count++;
    }
    return count;
  }

  /** Takes off what came, as whole pieces. @returns bytes of them */
  #takeCome(child: Child, outstandingBytes: number, nowMs: number): number {
    const beforeBytes = child.grantedBytes;
    for (let [first] = child.grants; first !== undefined; [first] = child.grants) {
      if (child.grantedBytes <= outstandingBytes && nowMs - first.atMs < this.#policy.longestUploadMs) break;
      child.grants.shift();
      child.grantedBytes -= first.bytes;
    }
    return beforeBytes - child.grantedBytes;
  }

  /** While something is on its way all that comes in a while is what it gets. When all came it may have been there for long. */
  #measure(child: Child, nowMs: number): void {
    const { uploadPaceMs, uploadPaceShare } = this.#policy;
    const elapsedMs = nowMs - child.measuredFromMs;
    const isOver = child.grantedBytes === 0;
    if (!isOver && (elapsedMs < uploadPaceMs || child.measuredBytes === 0)) return;
    const pace = child.measuredBytes / Math.max(uploadPaceMs, elapsedMs);
    if (isOver) child.pace = Math.max(child.pace, pace);
    else if (child.isPaceLeast) child.pace = pace;
    else child.pace += (pace - child.pace) * uploadPaceShare;
    if (!isOver) child.isPaceLeast = false;
    child.measuredFromMs = nowMs;
    child.measuredBytes = 0;
  }
}

function newChild(nowMs: number): Child {
  const times = { heardAtMs: nowMs, measuredFromMs: nowMs };
  return { grants: [], grantedBytes: 0, ...times, measuredBytes: 0, pace: 0, isPaceLeast: true };
}
