/** Whom a host sends pieces to when it cannot send to all who ask: whoever has the fewest bytes on their way from it comes
 *  first. The simulator decides by it, too. */
import type { HostId } from "../../schema/ids.ts";
import { keepLatest } from "./keep-latest.ts";
import type { UploadPolicy } from "./policy.ts";

/** `slots`: all are busy. `share`: the free ones are kept for children with fewer bytes on their way, which wait. */
export type UploadRefusal = "slots" | "share";

export interface UploadRequest {
  readonly child: HostId;
  readonly bytes: number;
  /** What the child asked of this host before and has not got, as it says itself, or what this host has not handed to its system
   *  yet, where that is more: nobody but the child knows when the system has sent it, and a child may say less. */
  readonly outstandingBytes: number;
  readonly slots: number;
  /** Slots that are busy without this request. */
  readonly busySlots: number;
  /** When it is told to ask again if it is refused. */
  readonly retryMs: number;
}

/** A slot is kept for each child that waits and would have fewer bytes on their way than whoever asks: an uplink is shared by
 *  those who are sent something at the same time, so equal bytes are equal shares of it. Who has nothing on its way is not made to
 *  wait for them: pieces of another task may be 64 times as long, and it would never be served beside many who want short ones.
 *  @param waiting what each of those who were refused lately would have on its way */
export function uploadRefusal(
  {
    bytes,
    outstandingBytes,
    slots,
    busySlots,
  }: Pick<UploadRequest, "bytes" | "outstandingBytes" | "slots" | "busySlots">,
  waiting: Iterable<number>,
  { keptSlotsShare }: UploadPolicy,
): UploadRefusal | undefined {
  const freeSlots = slots - busySlots;
  if (freeSlots <= 0) return "slots";
  if (outstandingBytes === 0) return undefined;
  if (freeSlots > slots * keptSlotsShare) return undefined;
  let poorer = 0;
  for (const otherBytes of waiting) if (otherBytes < outstandingBytes + bytes) poorer++;
  return poorer >= freeSlots ? "share" : undefined;
}

interface Waiting {
  /** On its way to it, had it been served. */
  readonly bytes: number;
  readonly untilMs: number;
}

export class UploadShares {
  readonly #policy: UploadPolicy;
  /** Children that were refused and may come again, the latest last. */
  readonly #waiting = new Map<HostId, Waiting>();

  constructor(policy: UploadPolicy) {
    this.#policy = policy;
  }

  /** Decides about a request, and remembers who waits. @returns why it is refused; `undefined` when it is served */
  ask(request: UploadRequest, nowMs: number): UploadRefusal | undefined {
    const { child, bytes, outstandingBytes, retryMs } = request;
    this.#waiting.delete(child);
    const refusal = uploadRefusal(request, this.#waitingBytes(nowMs), this.#policy);
    if (refusal === undefined) return undefined;
    const waiting = { bytes: outstandingBytes + bytes, untilMs: nowMs + retryMs + this.#policy.waitGraceMs };
    keepLatest(this.#waiting, child, waiting, this.#policy.waitingChildren);
    return refusal;
  }

  *#waitingBytes(nowMs: number): Generator<number> {
    for (const [child, { bytes, untilMs }] of this.#waiting) {
      if (untilMs < nowMs) this.#waiting.delete(child);
      else yield bytes;
    }
  }
}
